#include "store.h"

#include <errno.h>

#include <zephyr/kernel.h>
#include <zephyr/settings/settings.h>

#include "supervision.h"

#define KEY "pnc"
#define NAME "configuration"

/* Stored as the bytes of a configure packet, so that the format does not depend on the compiler. */
static uint8_t stored[PNC_CONFIGURE_SIZE];
static size_t stored_len;

static int on_setting(const char *name, size_t len, settings_read_cb read, void *arg)
{
	ssize_t n;

	if (settings_name_steq(name, NAME, NULL) == 0) {
		return -ENOENT;
	}
	n = read(arg, stored, MIN(len, sizeof(stored)));
	stored_len = n > 0 ? n : 0;
	return n < 0 ? n : 0;
}

SETTINGS_STATIC_HANDLER_DEFINE(pnc, KEY, NULL, on_setting, NULL, NULL);

void store_load(struct pnc_configure *configuration)
{
	if (settings_subsys_init() != 0 || settings_load() != 0) {
		leds_show_error();
	}
	if (pnc_configure_read(configuration, stored, stored_len)) {
		return;
	}
	*configuration = (struct pnc_configure){
		.role = CONFIG_PNC_DEFAULT_ROLE,
		.phy = PNC_PHY_LE_2M,
		.tx_power_dbm = CONFIG_PNC_DEFAULT_TX_POWER_DBM,
		.interval_us = CONFIG_PNC_DEFAULT_INTERVAL_US,
	};
}

void store_save(const struct pnc_configure *configuration)
{
	uint8_t bytes[PNC_CONFIGURE_SIZE];

	(void)pnc_configure_write(configuration, bytes);
	if (settings_save_one(KEY "/" NAME, bytes, sizeof(bytes)) != 0) {
		leds_show_error();
	}
}
