/**
 * @file
 * @brief The radio as the rest of the application sees it: a GATT peripheral on a camera board, a GATT central on an
 * edge board. Builds without Bluetooth have radio_none.c instead.
 */
#ifndef PNC_RADIO_H
#define PNC_RADIO_H

#include <stdbool.h>
#include <stdint.h>

#include "pnc/board.h"

/**
 * @brief Switch the radio on, load the stored settings and return the stored role. Call once, from the main thread,
 * before board_start. Only radio_process makes connections.
 */
uint8_t radio_start(void);

/**
 * @brief Accept a configuration of legal values. Return false if this radio cannot apply it. From any thread; the main
 * thread applies and stores it in radio_process.
 */
bool radio_configure(const struct pnc_configure *configuration);

/** @brief Return the last measured RSSI of a peer in dBm, 127 if unknown. From any thread. */
int8_t radio_rssi_dbm(uint8_t peer);

/** @brief Let the sender's thread send the packets that are due. From any thread. */
void radio_wake(void);

/**
 * @brief Advance all connections, advertising, scanning and pairing, after waiting for radio_notify, at most `wait_ms`.
 * From the main thread, again and again.
 */
void radio_process(int32_t wait_ms);

/** @brief Let radio_process continue at once. From any thread or interrupt. */
void radio_notify(void);

/** @brief Return the number of connections that carry packets. */
int radio_links_up(void);

/** @brief Open the pairing window for CONFIG_PNC_PAIRING_WINDOW_S. From any thread or interrupt. */
void radio_open_pairing(void);

/**
 * @brief Accept a pairing request. Return false if there is no radio, or no room for another request. From any thread;
 * the main thread carries it out and then calls board_pairing_changed.
 */
bool radio_pair(const struct pnc_pair *pair);

/** @brief Fill in the state of pairing. From any thread. */
void radio_pairing(struct pnc_pairing *pairing);

/** @brief End all connections before a reset, so that the remote boards notice it at once. From the main thread. */
void radio_end(void);

/** @brief Return the PNC_CAPABILITY_ bits of this radio. */
uint32_t radio_capabilities(void);

#endif
