/* Role and radio settings in flash. The Bluetooth stack stores the bonds. From the main thread only. */
#ifndef PNC_STORE_H
#define PNC_STORE_H

#include "pnc/board.h"

/* Load the settings into `configuration`: the defaults of Kconfig if none are stored. Call after bt_enable. */
void store_load(struct pnc_configure *configuration);

/* Store the settings. */
void store_save(const struct pnc_configure *configuration);

#endif
