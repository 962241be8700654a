/* The radio of a build without Bluetooth, which has the serial side only. */
#include "radio.h"

#include <zephyr/kernel.h>

#include "store.h"
#include "supervision.h"

static K_SEM_DEFINE(notified, 0, 1);

uint8_t radio_start(void)
{
	store_open();
	return PNC_ROLE_NONE;
}

bool radio_configure(const struct pnc_configure *configuration)
{
	return configuration->role == PNC_ROLE_NONE;
}

int8_t radio_rssi_dbm(uint8_t peer)
{
	ARG_UNUSED(peer);
	return 127;
}

void radio_wake(void)
{
}

void radio_process(int32_t wait_ms)
{
	k_sem_take(&notified, K_MSEC(wait_ms)); /* or the time is over */
	watchdog_feed(WATCHDOG_SENDER);         /* this build has neither thread */
	watchdog_feed(WATCHDOG_RX);
}

void radio_notify(void)
{
	k_sem_give(&notified);
}

int radio_links_up(void)
{
	return 0;
}

void radio_open_pairing(void)
{
}

bool radio_pair(const struct pnc_pair *pair)
{
	ARG_UNUSED(pair);
	return false;
}

void radio_pairing(struct pnc_pairing *pairing)
{
	ARG_UNUSED(pairing);
}

void radio_end(void)
{
}

uint32_t radio_capabilities(void)
{
	return 0;
}
