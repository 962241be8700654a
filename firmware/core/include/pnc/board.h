/* A board: everything it decides, nothing it touches.
 *
 * The adapters around it (Zephyr's serial port and Bluetooth, or a virtual board's) bring bytes and events with the
 * time, and pull what is to be written. Both pulls are the adapter's: it asks when it has room, so a slow port or a
 * slow radio holds data back here, where it still can be dropped or overtaken.
 *
 *   camera:  serial_rx -> queue -> radio_tx          edge:  radio_rx -> queue -> serial_tx
 *
 * Control packets go before pictures in either direction. The byte tables: protocol/SPEC.md.
 *
 * Not thread-safe: the adapter serialises the calls (one mutex, or one thread). No call may come from inside an
 * operation of struct pnc_board_ops. None of them blocks; none takes longer than O(PNC_QUEUE_SLOTS) plus the bytes
 * handed in. */
#ifndef PNC_BOARD_H
#define PNC_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pnc/config.h"
#include "pnc/control.h"
#include "pnc/flight.h"
#include "pnc/frame.h"
#include "pnc/goodput.h"
#include "pnc/queue.h"
#include "pnc_wire.h"

/* What hello says of this board; copied at init. */
struct pnc_board_identity {
	uint64_t board_id;
	uint32_t session;      /* another value at every start */
	uint32_t capabilities; /* PNC_CAPABILITY_ bits */
	uint8_t firmware[3];
	uint8_t role;                  /* PNC_ROLE_: as kept from the last configure */
	uint8_t boot;                  /* PNC_BOOT_ */
	uint8_t in_flight;             /* packets of one connection inside the radio, 1 to PNC_IN_FLIGHT_MAX */
	char name[PNC_HELLO_NAME + 1]; /* UTF-8, ends with a zero */
};

/* State of one connection, as the radio reports it. */
struct pnc_radio_link {
	uint32_t interval_us;
	uint16_t mtu;          /* ATT MTU, bytes; a picture packet needs its length + 3 */
	uint8_t phy;           /* PNC_PHY_ */
	uint8_t event_packets; /* full packets that one connection event should carry, see pnc/flight.h; 0: any number
				*/
};

/* What a board asks of its adapters; none may be NULL. Each may be called during any call of this header. */
struct pnc_board_ops {
	/* Apply a configuration (its values are legal). False if the radio cannot: the host gets an error. */
	bool (*configure)(void *user, const struct pnc_configure *configuration);
	/* Take on who may pair (its values are legal), soon: pnc_board_pairing_changed says when. False if it cannot be
	 * had: the host gets an error. */
	bool (*pair)(void *user, const struct pnc_pair *pair);
	/* Tell the state of pairing; `peer` stays 0. */
	void (*pairing)(void *user, struct pnc_pairing *pairing);
	/* Reset the board, soon: PNC_RESET_KIND_. False if it cannot start that: the host gets an error. */
	bool (*reset)(void *user, uint8_t kind);
	/* RSSI of a peer in dBm, 127 if unknown. */
	int8_t (*rssi_dbm)(void *user, uint8_t peer);
	/* Something may be pulled now: serial_tx and, for any peer, radio_tx are worth a call. Pull until
	 * serial_tx leaves room and radio_tx returns 0; for what comes up later there is another wake. */
	void (*wake)(void *user);
};

/* One connection, as the board sees it. */
struct pnc_peer {
	struct pnc_radio_link link;
	uint8_t state;   /* PNC_LINK_STATE_: what the host is told */
	uint8_t heard;   /* PNC_LINK_STATE_: up or refused by the hello of the board across; down before it */
	bool connected;  /* the radio is up; then `state` is `heard` */
	bool hello_due;  /* ours goes out first */
	bool report_due; /* a link packet to the host is due */
	bool statistics_due;
	uint8_t reason; /* of the last disconnect */
	struct pnc_flight flight;
	struct pnc_goodput goodput;
};

struct pnc_board {
	struct pnc_board_identity identity;
	const struct pnc_board_ops *ops;
	void *user;
	uint32_t uptime_ms; /* as of uptime_us; carried across wraps of the clock */
	uint32_t uptime_us;
	struct pnc_frame_reader reader;
	struct pnc_queue queue;
	struct pnc_control control;
	struct pnc_peer peers[PNC_PEERS];
	bool open;          /* a host has said hello in our version */
	bool hello_due;     /* to the host */
	bool credit_due;    /* to the host */
	bool pairing_due;   /* to the host */
	uint8_t errors_due; /* bit code: an error to the host */
	uint32_t error_detail[8];
	uint8_t unreported;        /* frames taken since the last credit */
	uint32_t credited_us;      /* time of the last credit */
	uint32_t credited_dropped; /* packets expired, evicted and flushed up to then */
	uint16_t taken;
	uint16_t acked_packets;
	uint32_t acked_bytes;
	uint32_t acked; /* all sessions together */
	uint32_t lost;
	uint32_t unknown;
	bool busy; /* since busy_at_us: the link is up and the queue or the radio holds a picture packet */
	uint32_t busy_at_us;
	uint32_t busy_us;
	uint8_t frame[PNC_MAX_FRAME + 1u]; /* being written to the serial port */
	size_t frame_len;
	size_t frame_at;
	uint8_t frame_seq;
};

/* Starts a board; no host, no connection. `ops` stays the caller's. */
void pnc_board_init(struct pnc_board *b, const struct pnc_board_identity *identity, const struct pnc_board_ops *ops,
		    void *user, uint32_t now_us);

/* Bytes came in on the serial port: any bytes. */
void pnc_board_serial_rx(struct pnc_board *b, uint32_t now_us, const uint8_t *bytes, size_t len);

/* The serial port has room for `room` bytes: writes at most that many to out and returns their number; 0 if there is
 * nothing to say. Ends in the middle of a frame if it must and goes on there. A packet leaves the queue when its frame
 * begins. */
size_t pnc_board_serial_tx(struct pnc_board *b, uint32_t now_us, uint8_t *out, size_t room);

/* The host went away (the port was closed): a camera's queue is flushed, since nobody counts on it any more; an
 * edge's goes on waiting for the next host. */
void pnc_board_serial_closed(struct pnc_board *b, uint32_t now_us);

/* A connection is ready for packets in both directions (subscribed), or its parameters changed. peer < PNC_PEERS; 0 on
 * a camera. */
void pnc_board_radio_up(struct pnc_board *b, uint32_t now_us, uint8_t peer, const struct pnc_radio_link *link);

/* A connection ended; `reason` is Bluetooth's. Packets inside the radio are counted as lost. */
void pnc_board_radio_down(struct pnc_board *b, uint32_t now_us, uint8_t peer, uint8_t reason);

/* A packet came over the air: any bytes, len may be anything. */
void pnc_board_radio_rx(struct pnc_board *b, uint32_t now_us, uint8_t peer, const uint8_t *packet, size_t len);

/* The radio can take a packet for that peer: writes it to out (PNC_MAX_PACKET bytes) and returns its length; 0 if there
 * is none, or if identity.in_flight of this connection are inside the radio already. */
size_t pnc_board_radio_tx(struct pnc_board *b, uint32_t now_us, uint8_t peer, uint8_t *out);

/* The oldest packet inside the radio for that peer was acknowledged by the link layer. */
void pnc_board_radio_sent(struct pnc_board *b, uint32_t now_us, uint8_t peer);

/* The state of pairing is another, or was asked for: the host is told. */
void pnc_board_pairing_changed(struct pnc_board *b, uint32_t now_us);

/* Time passes: drops what expired, repeats a due credit. To be called at least every 50 ms; more often is cheap. */
void pnc_board_tick(struct pnc_board *b, uint32_t now_us);

#endif
