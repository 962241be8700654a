/**
 * @file
 * @brief The core's board behind one mutex, and the thread that connects it to the serial port.
 *
 * Every function may be called from any thread, but not from an interrupt. Only board_wake may be called from inside an
 * operation of the core.
 */
#ifndef PNC_BOARD_THREAD_H
#define PNC_BOARD_THREAD_H

#include <stdint.h>

#include "pnc/board.h"

/** @brief Start the board, its serial port and its thread. `ops` must outlive the board; its `wake` has to call
 * board_wake. */
void board_start(const struct pnc_board_identity *identity, const struct pnc_board_ops *ops);

/** @brief Let the board's thread send what is due to the host. */
void board_wake(void);

/** @brief As the functions of the same name in pnc/board.h, at the current time. */
void board_radio_up(uint8_t peer, const struct pnc_radio_link *link);
void board_radio_down(uint8_t peer, uint8_t reason);
void board_radio_rx(uint8_t peer, const uint8_t *packet, size_t len);
void board_radio_sent(uint8_t peer);
size_t board_radio_tx(uint8_t peer, uint8_t *out);
uint8_t board_radio_phy(int8_t rssi_dbm);
uint32_t board_silent_ms(void);
void board_pairing_changed(void);
void board_fault(enum pnc_error_code code, uint32_t detail);

#endif
