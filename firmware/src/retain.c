#include "retain.h"

#include <string.h>

#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>
#include <zephyr/storage/flash_map.h>

#include "pnc/crc.h"
#include "pnc_wire.h"
#include "zephyr_compat.h"

#if DT_NODE_EXISTS(DT_NODELABEL(retained_partition)) && defined(CONFIG_SOC_FLASH_NRF)
#include <nrfx_nvmc.h>
#endif

LOG_MODULE_REGISTER(pnc_retain, CONFIG_PNC_LOG_LEVEL);

/* As it is stored. After power-on, or behind a bootloader that uses the same RAM, the checksum does not fit. */
struct stored {
	struct retain_record record;
	uint32_t crc;
};

BUILD_ASSERT(sizeof(struct stored) == sizeof(struct retain_record) + sizeof(uint32_t));
BUILD_ASSERT(sizeof(struct stored) % sizeof(uint32_t) == 0);

static uint32_t crc_of(const struct stored *stored)
{
	return pnc_crc32(0, (const uint8_t *)&stored->record, sizeof(stored->record));
}

#if DT_NODE_EXISTS(DT_NODELABEL(retained_partition))
/* A simulated board loses its RAM when its process ends, so the record is in flash. */
#define PARTITION PNC_PARTITION_ID(retained_partition)
#define PAGE_BYTES PNC_PARTITION_SIZE(retained_partition)

/* The partition is erased: take erases it. */
static void set(const struct stored *stored)
{
#if defined(CONFIG_SOC_FLASH_NRF)
	/* Zephyr's driver waits for a pause of the radio, which is impossible in an interrupt. */
	nrfx_nvmc_words_write(PNC_PARTITION_OFFSET(retained_partition), stored, sizeof(*stored) / sizeof(uint32_t));
#else
	const struct flash_area *area;

	if (flash_area_open(PARTITION, &area) == 0) {
		if (flash_area_write(area, 0, stored, sizeof(*stored)) != 0) {
			LOG_WRN("the record is not retained");
		}
		flash_area_close(area);
	}
#endif
}

static void take(struct stored *stored)
{
	const struct flash_area *area;

	memset(stored, 0, sizeof(*stored));
	if (flash_area_open(PARTITION, &area) == 0) {
		if (flash_area_read(area, 0, stored, sizeof(*stored)) != 0 ||
		    flash_area_erase(area, 0, PAGE_BYTES) != 0) {
			LOG_WRN("the retained record cannot be read and erased");
		}
		flash_area_close(area);
	}
}
#else
static __noinit struct stored retained;

static void set(const struct stored *stored)
{
	retained = *stored;
}

static void take(struct stored *stored)
{
	*stored = retained;
	retained.crc = ~crc_of(&retained);
}
#endif

void retain_set(const struct retain_record *record)
{
	struct stored stored = {.record = *record};

	stored.crc = crc_of(&stored);
	set(&stored);
}

bool retain_take(struct retain_record *record)
{
	struct stored stored;

	take(&stored);
	*record = stored.record;
	record->thread[RETAIN_THREAD - 1] = '\0';
	return stored.crc == crc_of(&stored) && record->boot != PNC_BOOT_POWER;
}
