/* The core's board behind one mutex, and the thread that joins it to the serial port. Every function may be called from
 * any thread, none from an interrupt, and none from inside an operation of the core. */
#ifndef PNC_BOARD_THREAD_H
#define PNC_BOARD_THREAD_H

#include <stdint.h>

#include "pnc/board.h"

/* Starts the board: serial port, thread. */
void board_start(const struct pnc_board_identity *identity);

/* As the functions of pnc/board.h, at the present time. */
void board_radio_up(uint8_t peer, const struct pnc_radio_link *link);
void board_radio_down(uint8_t peer, uint8_t reason);
void board_radio_rx(uint8_t peer, const uint8_t *packet, size_t len);
void board_radio_sent(uint8_t peer);
size_t board_radio_tx(uint8_t peer, uint8_t *out);
void board_pairing_changed(void);

#endif
