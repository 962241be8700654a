/* What the parts of the board share: board.c (life, time, credit), board_host.c (packets from the host),
 * board_report.c (packets to the host), board_radio.c (both directions of the air). */
#ifndef PNC_BOARD_PARTS_H
#define PNC_BOARD_PARTS_H

#include "pnc/board.h"

/* A credit goes out after this many frames at the latest. */
#define PNC_CREDIT_EVERY 8u

/* Bytes of the ATT MTU that a notification or a write does not carry. */
#define PNC_ATT_HEADER 3u

/* detail of an error "configure" when every field is legal and the radio refuses. */
#define PNC_CONFIGURE_RADIO 255u

/* Queues an error to the host; one of the same code that still waits is replaced. */
void pnc_board_error(struct pnc_board *b, enum pnc_error_code code, uint32_t detail);

/* Ends the session, if any: what was due to that host is forgotten and a camera's queue flushed. */
void pnc_board_end_session(struct pnc_board *b);

/* Offers a picture packet of a source to the queue, that source written into it. */
enum pnc_push pnc_board_offer(struct pnc_board *b, uint32_t now_us, uint8_t source, const uint8_t *packet, size_t len);

/* Copies a control packet towards `to`, `peer` written into it; without room it is counted as dropped. */
void pnc_board_forward(struct pnc_board *b, uint8_t to, uint8_t peer, const uint8_t *packet, size_t len);

/* Answers a ping towards `to`. */
void pnc_board_pong(struct pnc_board *b, uint8_t to, uint8_t peer, const struct pnc_ping *ping);

/* Handles one packet from the serial port. */
void pnc_board_from_host(struct pnc_board *b, uint32_t now_us, const uint8_t *packet, size_t len);

/* True if radio_tx would find something for that peer. */
bool pnc_board_radio_has(const struct pnc_board *b, const struct pnc_peer *p);

/* Length of the hello of this board. */
size_t pnc_board_hello_len(const struct pnc_board *b);

/* Writes the hello of this board; returns its length. */
size_t pnc_board_hello(const struct pnc_board *b, uint8_t *out);

/* True if serial_tx would start a frame. */
bool pnc_board_serial_has(const struct pnc_board *b);

/* Writes the next packet for the host, the most urgent kind first; returns its length, 0 if there is none. */
size_t pnc_board_to_host(struct pnc_board *b, uint32_t now_us, uint8_t *out);

/* Brings busy_us, uptime and the due credit up to date: the end of every call of board.h. */
void pnc_board_settle(struct pnc_board *b, uint32_t now_us);

/* The same, and wakes the adapter if something may be pulled. */
void pnc_board_finish(struct pnc_board *b, uint32_t now_us);

#endif
