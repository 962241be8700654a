/**
 * @file
 * @brief Role and radio settings in flash. The Bluetooth stack stores the bonds. From the main thread only.
 */
#ifndef PNC_STORE_H
#define PNC_STORE_H

#include "pnc/board.h"

/**
 * @brief Make the partition of the settings ready. What other firmware left there is erased, so that its bonds do not
 * count as boards that we know; so is what cannot be mounted. What cannot be read stays. Call once, before bt_enable.
 */
void store_open(void);

/** @brief Fill in the settings that store_open has loaded: the defaults of Kconfig if none are stored. */
void store_load(struct pnc_configure *configuration);

/** @brief Store the settings. If that fails, store_process tries again. */
void store_save(const struct pnc_configure *configuration);

/** @brief Try again to store what could not be stored. Again and again. */
void store_process(void);

#endif
