/* The radio: a GATT peripheral as camera, a GATT central as edge. What the rest of the application sees of it. */
#ifndef PNC_RADIO_H
#define PNC_RADIO_H

#include <stdbool.h>
#include <stdint.h>

#include "pnc/board.h"

/* Switches the radio on and reads the store; returns the role kept there. Once, from the main thread, before the board
 * starts; connections are made by radio_manage only. */
uint8_t radio_start(void);

/* Takes a configuration (of legal values) over; false if this radio cannot have it. From any thread; it is applied and
 * kept by the main thread, in radio_manage. */
bool radio_configure(const struct pnc_configure *configuration);

/* RSSI of a peer as last measured, dBm; 127 if unknown. From any thread. */
int8_t radio_rssi_dbm(uint8_t peer);

/* The board may have packets for the radio. From any thread. */
void radio_wake(void);

/* Brings connections forward: to be called by the main thread, again and again. Returns after radio_attend or after
 * wait_ms. */
void radio_manage(int32_t wait_ms);

/* Makes radio_manage look again. From any thread or interrupt. */
void radio_attend(void);

/* Connections that carry packets. */
int radio_links_up(void);

/* Lets unknown boards pair for CONFIG_PNC_PAIRING_WINDOW_S. From any thread or interrupt. */
void radio_open_pairing(void);

/* Takes over who may pair; false if there is no radio. From any thread; the main thread does it and calls
 * board_pairing_changed then. */
bool radio_pair(const struct pnc_pair *pair);

/* Writes the state of pairing. From any thread. */
void radio_pairing(struct pnc_pairing *pairing);

/* Ends all connections, so that the boards across know at once. From the main thread, before a reset. */
void radio_end(void);

/* PNC_CAPABILITY_ bits of this radio. */
uint32_t radio_capabilities(void);

#endif
