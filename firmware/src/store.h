/* What outlives a reset: role and radio settings (bonds are kept by the Bluetooth stack). From the main thread. */
#ifndef PNC_STORE_H
#define PNC_STORE_H

#include "pnc/board.h"

/* Reads the flash; without anything there `configuration` becomes the defaults of Kconfig. Call after bt_enable. */
void store_load(struct pnc_configure *configuration);

/* Keeps it. */
void store_save(const struct pnc_configure *configuration);

#endif
