/* The PHY of a connection by its conditions: 2M, 1M, coded with 500 kbit/s (S2), coded with 125 kbit/s (S8).
 *
 * A slower PHY is chosen when the received power falls below what the present one needs, or when too many connection
 * events fail while the power is low. At high power errors come from other transmitters, and longer packets would make
 * them more frequent. A faster one is chosen when the power has some reserve for it and few events fail, or much
 * reserve. It takes longer to go up than down, and longer again after each time that going up was a mistake, or that
 * the peer did not follow. */
#ifndef PNC_PHY_CHOICE_H
#define PNC_PHY_CHOICE_H

#include <stdbool.h>
#include <stdint.h>

#include "pnc_wire.h"

/* An unknown RSSI, as HCI reports it. */
#define PNC_RSSI_UNKNOWN 127

struct pnc_phy_choice {
	uint32_t changed_us; /* when another PHY was requested last */
	int16_t rssi_qdb;    /* smoothed, in quarters of 1 dBm */
	bool measured;       /* rssi_qdb is valid */
	bool rose;           /* the last request was for a faster PHY */
	uint8_t asked;       /* the last request; PNC_PHY_KEEP: none yet */
	uint8_t patience;    /* waits are this power of two longer */
};

/* Start with a new connection. */
void pnc_phy_choice_init(struct pnc_phy_choice *c, uint32_t now_us);

/* Return the PHY to request, PNC_PHY_KEEP if the present one fits. Call about every 50 ms.
 *
 * `phy` is the present PHY, `slowest` the slowest that may be chosen. `rssi_dbm` was measured since the last call,
 * PNC_RSSI_UNKNOWN if it was not. `loss` is the estimate of pnc/event_loss.h. */
uint8_t pnc_phy_choice_next(struct pnc_phy_choice *c, uint32_t now_us, uint8_t phy, uint8_t slowest, int8_t rssi_dbm,
			    uint16_t loss);

#endif
