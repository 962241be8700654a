#include <string.h>

#include <zephyr/drivers/hwinfo.h>
#include <zephyr/kernel.h>

#include "board_thread.h"
#include "care.h"
#include "radio.h"
#include "release.h"
#include "serial.h"

#define MANAGE_MS 100

static uint64_t board_id(void)
{
	uint8_t bytes[8] = {0};

#if defined(CONFIG_HWINFO)
	(void)hwinfo_get_device_id(bytes, sizeof(bytes));
#endif
	return pnc_get64(bytes);
}

static uint32_t capabilities(void)
{
	return radio_capabilities() | care_capabilities() |
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
		.boot = care_boot(),
		.in_flight = CONFIG_PNC_PACKETS_IN_FLIGHT,
	};

	strncpy(identity.name, CONFIG_BOARD, sizeof(identity.name) - 1);
	care_start();
	identity.role = radio_start();
	board_start(&identity);
	for (;;) {
		radio_manage(MANAGE_MS);
		care_show(radio_links_up());
		care_alive(CARE_MAIN);
		care_reset(radio_end);
	}
	return 0;
}
