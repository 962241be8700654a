/* Starts everything, connects the core to serial port, radio and supervision, and then runs the main thread's loop. */
#include <string.h>

#include <zephyr/drivers/hwinfo.h>
#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>

#include "board_thread.h"
#include "faults.h"
#include "radio.h"
#include "serial.h"
#include "store.h"
#include "supervision.h"
#include "zephyr_compat.h"

LOG_MODULE_REGISTER(pnc_main, CONFIG_PNC_LOG_LEVEL);

#define PROCESS_MS 100
#define REPORT_MS 20

static bool configure(void *user, const struct pnc_configure *configuration)
{
	ARG_UNUSED(user);
	return radio_configure(configuration);
}

static bool pair(void *user, const struct pnc_pair *pair)
{
	ARG_UNUSED(user);
	return radio_pair(pair);
}

static void pairing(void *user, struct pnc_pairing *pairing)
{
	ARG_UNUSED(user);
	radio_pairing(pairing);
}

static bool reset(void *user, uint8_t kind)
{
	ARG_UNUSED(user);
	if (!supervision_request_reset(kind)) {
		return false;
	}
	radio_notify(); /* the main thread, which resets the board, waits in radio_process */
	return true;
}

static int8_t rssi_dbm(void *user, uint8_t peer)
{
	ARG_UNUSED(user);
	return radio_rssi_dbm(peer);
}

static void wake(void *user)
{
	ARG_UNUSED(user);
	board_wake();
	radio_wake();
}

static const struct pnc_board_ops ops = {
	.configure = configure,
	.pair = pair,
	.pairing = pairing,
	.reset = reset,
	.rssi_dbm = rssi_dbm,
	.wake = wake,
};

static uint64_t board_id(void)
{
	uint8_t bytes[8] = {0};

#if defined(CONFIG_HWINFO)
	if (hwinfo_get_device_id(bytes, sizeof(bytes)) < 0) {
		LOG_WRN("the board has no number");
	}
#endif
	return pnc_get64(bytes);
}

static uint32_t capabilities(void)
{
	return radio_capabilities() | supervision_capabilities() |
	       (DT_NODE_HAS_COMPAT(SERIAL_NODE, zephyr_cdc_acm_uart) ? PNC_CAPABILITY_USB : 0) |
	       (IS_ENABLED(CONFIG_ARCH_POSIX) ? PNC_CAPABILITY_VIRTUAL : 0);
}

int main(void)
{
	struct pnc_board_identity identity = {
		.board_id = board_id(),
		.session = sys_rand32_get(),
		.capabilities = capabilities(),
		.firmware = {PNC_FIRMWARE_VERSION},
		.in_flight = CONFIG_PNC_PACKETS_IN_FLIGHT,
	};

	identity.boot = supervision_boot_reason(&identity.note);
	strncpy(identity.name, CONFIG_BOARD, sizeof(identity.name) - 1);
	supervision_start(radio_open_pairing);
	identity.role = radio_start();
	watchdog_start();
	board_start(&identity, &ops);
	for (;;) {
		radio_process(PROCESS_MS);
		store_process();
		faults_report(board_fault);
		leds_update(radio_links_up());
		watchdog_feed(WATCHDOG_MAIN);
		if (supervision_reset_requested()) {
			radio_end();
			k_msleep(REPORT_MS); /* the host gets the fault that was reported last */
			supervision_reset();
		}
	}
	return 0;
}
