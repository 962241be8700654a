/* A build without Bluetooth: the serial side alone. */
#include "radio.h"

#include <zephyr/kernel.h>

#include "care.h"

static K_SEM_DEFINE(attend, 0, 1);

uint8_t radio_start(void)
{
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

void radio_manage(int32_t wait_ms)
{
	(void)k_sem_take(&attend, K_MSEC(wait_ms));
	care_alive(CARE_SENDER); /* there is none */
}

void radio_attend(void)
{
	k_sem_give(&attend);
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
