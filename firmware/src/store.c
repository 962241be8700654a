#include "store.h"

#include <errno.h>
#include <string.h>

#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>
#include <zephyr/settings/settings.h>
#include <zephyr/storage/flash_map.h>

#include "faults.h"
#include "zephyr_compat.h"

LOG_MODULE_REGISTER(pnc_store, CONFIG_PNC_LOG_LEVEL);

#define KEY "pnc"
#define NAME "configuration"
#define MARK "mark"
#define AGAIN_MS 1000
#define MOUNT_AGAIN_MS 10
/* Number of the fault if the settings were erased because they could not be mounted: none of Zephyr's errors. */
#define SETTINGS_ERASED 1000

#define CHUNK_BYTES 64

enum content {
	CONTENT_EMPTY,
	CONTENT_OURS,
	CONTENT_FOREIGN
};

/* Stored as the bytes of a configure packet, so that the format does not depend on the compiler. */
static uint8_t stored[PNC_CONFIGURE_SIZE];
static size_t stored_len;
static bool marked;        /* a setting of ours was found */
static bool unsaved;       /* `stored` is not in flash */
static uint32_t failed_ms; /* when storing it failed last */

static int on_setting(const char *name, size_t len, settings_read_cb read, void *arg)
{
	ssize_t n;

	marked = true;
	if (settings_name_steq(name, MARK, NULL) != 0) {
		return 0;
	}
	if (settings_name_steq(name, NAME, NULL) == 0) {
		return -ENOENT;
	}
	n = read(arg, stored, MIN(len, sizeof(stored)));
	stored_len = n > 0 ? n : 0;
	return n < 0 ? n : 0;
}

SETTINGS_STATIC_HANDLER_DEFINE(pnc, KEY, NULL, on_setting, NULL, NULL);

/* Tell whose settings the partition holds. The backend stores their names as text. A name of ours shows that this
 * firmware has used the partition; chunks overlap, so that none is missed. Return a negative error if it cannot be
 * read. */
static int content_of(const struct flash_area *area)
{
	static const char name[] = KEY "/";
	const size_t length = sizeof(name) - 1;
	uint8_t chunk[CHUNK_BYTES];
	enum content content = CONTENT_EMPTY;

	for (size_t at = 0; at + sizeof(chunk) <= area->fa_size; at += sizeof(chunk) - length) {
		int error = flash_area_read(area, at, chunk, sizeof(chunk));

		if (error != 0) {
			return error;
		}
		for (size_t i = 0; i < sizeof(chunk); i++) {
			if (i + length <= sizeof(chunk) && memcmp(chunk + i, name, length) == 0) {
				return CONTENT_OURS;
			}
			if (chunk[i] != flash_area_erased_val(area)) {
				content = CONTENT_FOREIGN;
			}
		}
	}
	return content;
}

/* Mount the settings; if that fails twice, erase and mount them. */
static int mount(const struct flash_area *area)
{
	int error = settings_subsys_init();

	if (error != 0) {
		k_msleep(MOUNT_AGAIN_MS);
		error = settings_subsys_init();
	}
	if (error != 0) {
		LOG_WRN("the settings cannot be mounted: erased");
		error = flash_area_erase(area, 0, area->fa_size);
		if (error == 0) {
			fault_note(PNC_ERROR_CODE_SETTINGS, SETTINGS_ERASED);
			error = settings_subsys_init();
		}
	}
	return error;
}

/* Load our settings, and mark the partition as ours: before other settings are loaded, or it would look foreign at the
 * next start. */
static int load(void)
{
	int error = settings_load_subtree(KEY);

	return error == 0 && !marked ? settings_save_one(KEY "/" MARK, "1", 1) : error;
}

/* Failures are only noted here. What works again is known when something was stored. */
void store_open(void)
{
	const struct flash_area *area;
	int error = flash_area_open(PNC_PARTITION_ID(storage_partition), &area);
	int content;

	if (error != 0) {
		fault_note(PNC_ERROR_CODE_SETTINGS, error);
		return;
	}
	content = content_of(area);
	if (content == CONTENT_FOREIGN) {
		LOG_WRN("the storage is of other firmware: erased");
		error = flash_area_erase(area, 0, area->fa_size);
	} else if (content < 0) { /* it may be ours, so it stays */
		fault_note(PNC_ERROR_CODE_SETTINGS, content);
	}
	error = error != 0 ? error : mount(area);
	flash_area_close(area);
	error = error != 0 ? error : load();
	if (error != 0) {
		fault_note(PNC_ERROR_CODE_SETTINGS, error);
	}
}

void store_load(struct pnc_configure *configuration)
{
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

static void save(void)
{
	unsaved = !fault_check(PNC_ERROR_CODE_SETTINGS, settings_save_one(KEY "/" NAME, stored, sizeof(stored)));
	failed_ms = k_uptime_get_32();
}

void store_save(const struct pnc_configure *configuration)
{
	stored_len = pnc_configure_write(configuration, stored);
	save();
}

void store_process(void)
{
	if (unsaved && k_uptime_get_32() - failed_ms >= AGAIN_MS) {
		save();
	}
}
