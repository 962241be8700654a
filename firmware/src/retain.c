#include "retain.h"

#include <zephyr/kernel.h>
#include <zephyr/storage/flash_map.h>

#include "zephyr_compat.h"

#if DT_NODE_EXISTS(DT_NODELABEL(retained_partition)) && defined(CONFIG_SOC_FLASH_NRF)
#include <nrfx_nvmc.h>
#endif

#if DT_NODE_EXISTS(DT_NODELABEL(retained_partition))
/* A simulated board loses its RAM when its process ends, so the number is in flash. */
#define PARTITION PNC_PARTITION_ID(retained_partition)
#define PAGE_BYTES PNC_PARTITION_SIZE(retained_partition)

/* The partition is erased: retain_take erases it. */
void retain_set(uint32_t number)
{
#if defined(CONFIG_SOC_FLASH_NRF)
	/* Zephyr's driver waits for a pause of the radio, which is impossible in an interrupt. */
	nrfx_nvmc_word_write(PNC_PARTITION_OFFSET(retained_partition), number);
#else
	const struct flash_area *area;

	if (flash_area_open(PARTITION, &area) == 0) {
		(void)flash_area_write(area, 0, &number, sizeof(number));
		flash_area_close(area);
	}
#endif
}

uint32_t retain_take(void)
{
	const struct flash_area *area;
	uint32_t number = 0;

	if (flash_area_open(PARTITION, &area) == 0) {
		(void)flash_area_read(area, 0, &number, sizeof(number));
		(void)flash_area_erase(area, 0, PAGE_BYTES);
		flash_area_close(area);
	}
	return number;
}
#else
static __noinit uint32_t retained;

void retain_set(uint32_t number)
{
	retained = number;
}

uint32_t retain_take(void)
{
	uint32_t number = retained;

	retained = 0;
	return number;
}
#endif
