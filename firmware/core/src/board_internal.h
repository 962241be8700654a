/* Functions that the files of the board share. Calls go down only:
 *
 *   board.c                                    the entry points of pnc/board.h
 *   board_host.c, board_air.c, board_report.c  packets from the host; the air, both directions; packets to the host
 *   board_state.c                              what these three have in common */
#ifndef PNC_BOARD_INTERNAL_H
#define PNC_BOARD_INTERNAL_H

#include "pnc/board.h"

/* Bytes of the ATT MTU that a notification or a write does not carry. */
#define PNC_ATT_HEADER 3u

/* board_state.c */

/* Mark an error to the host as due. Replaces an error of the same code that is still due. */
void pnc_board_error(struct pnc_board *b, enum pnc_error_code code, uint32_t detail);

/* End the session, if there is one: drop everything that is due to the host. A camera also flushes its queue. */
void pnc_board_end_session(struct pnc_board *b);

/* Offer a picture packet to the queue, with `source` written into its header. */
enum pnc_push pnc_board_enqueue(struct pnc_board *b, uint32_t now_us, uint8_t source, const uint8_t *packet,
				size_t len);

/* Copy a control packet for the destination `to`, with `peer` written into it. Counts as dropped if there is no room.
 */
void pnc_board_forward(struct pnc_board *b, uint8_t to, uint8_t peer, const uint8_t *packet, size_t len);

/* Answer a ping with a pong to the destination `to`. */
void pnc_board_pong(struct pnc_board *b, uint8_t to, uint8_t peer, const struct pnc_ping *ping);

/* Return the length of this board's hello. */
size_t pnc_board_hello_len(const struct pnc_board *b);

/* Write this board's hello to `out` and return its length. */
size_t pnc_board_hello(const struct pnc_board *b, uint8_t *out);

/* Bring the uptime, busy_us and the credit that is due up to date. Every entry point calls this. */
void pnc_board_update(struct pnc_board *b, uint32_t now_us);

/* board_host.c */

/* Process bytes from the serial port. */
void pnc_board_host_read(struct pnc_board *b, uint32_t now_us, const uint8_t *bytes, size_t len);

/* board_air.c */

/* Return the time from one connection event to the next, us: a multiple of the interval, if an event takes longer. */
uint32_t pnc_board_event_us(const struct pnc_peer *p);

/* Record that a connection is ready, or that its parameters changed. */
void pnc_board_air_up(struct pnc_board *b, uint32_t now_us, struct pnc_peer *p, const struct pnc_radio_link *link);

/* Record the end of the connection to `peer`. */
void pnc_board_air_down(struct pnc_board *b, uint8_t peer, uint8_t reason);

/* Process a packet from any peer. */
void pnc_board_air_read(struct pnc_board *b, uint32_t now_us, uint8_t peer, const uint8_t *packet, size_t len);

/* Write the next packet for a connected peer whose window is not full. Return its length, 0 if there is none. */
size_t pnc_board_air_write(struct pnc_board *b, uint32_t now_us, struct pnc_peer *p, uint8_t *out);

/* Record the acknowledgement of the oldest packet in flight, if there is one. */
void pnc_board_air_acknowledge(struct pnc_board *b, uint32_t now_us, struct pnc_peer *p);

/* Return true if pnc_board_air_write has a packet for that peer. */
bool pnc_board_air_has(const struct pnc_board *b, const struct pnc_peer *p);

/* board_report.c */

/* Write frames for the host, up to `room` bytes, and return the number of bytes. */
size_t pnc_board_report_write(struct pnc_board *b, uint32_t now_us, uint8_t *out, size_t room);

/* Return true if pnc_board_report_write has anything to write. */
bool pnc_board_report_has(const struct pnc_board *b);

#endif
