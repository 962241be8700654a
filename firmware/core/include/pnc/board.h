/**
 * @file
 * @brief A board: makes every decision and touches no hardware.
 *
 * Adapters (Zephyr's serial port and Bluetooth, or those of a virtual board) pass in bytes and events together with the
 * current time, and pull outgoing data whenever they have room. Data for a slow port or a slow radio therefore waits
 * here, where it can still be dropped or overtaken.
 *
 *   camera:  serial_rx -> queue -> radio_tx          edge:  radio_rx -> queue -> serial_tx
 *
 * Control packets take precedence over pictures in both directions. protocol/SPEC.md defines the bytes.
 *
 * Not thread-safe: call from one thread, or hold one mutex. Never call from inside an operation of struct
 * pnc_board_ops. No function blocks. None takes longer than O(PNC_QUEUE_SLOTS) plus the bytes passed in. `now_us` is
 * explained in pnc/clock.h.
 */
#ifndef PNC_BOARD_H
#define PNC_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pnc/config.h"
#include "pnc/control.h"
#include "pnc/event_loss.h"
#include "pnc/frame.h"
#include "pnc/goodput.h"
#include "pnc/phy_choice.h"
#include "pnc/queue.h"
#include "pnc/sent_frames.h"
#include "pnc/tx_window.h"
#include "pnc_wire.h"

/** What this board's hello reports. */
struct pnc_board_identity {
	uint64_t board_id;
	uint32_t session;      /**< differs at every start */
	uint32_t capabilities; /**< PNC_CAPABILITY_ bits */
	uint8_t firmware[3];
	uint8_t role;                  /**< PNC_ROLE_, as configured last */
	uint8_t boot;                  /**< PNC_BOOT_ */
	uint8_t in_flight;             /**< most packets of one connection in flight, 1 to PNC_IN_FLIGHT_MAX */
	char name[PNC_HELLO_NAME + 1]; /**< UTF-8, zero-terminated */
	const char *note; /**< what every host is told after its hello, UTF-8; NULL: nothing. It must outlive
			   * the board. At most PNC_MAX_PACKET - PNC_LOG_SIZE bytes */
};

/** State of one connection, as the radio reports it. */
struct pnc_radio_link {
	uint32_t interval_us;  /**< connection interval */
	uint16_t mtu;          /**< ATT MTU, bytes; a packet needs its length + 3 */
	uint8_t phy;           /**< PNC_PHY_ */
	uint8_t event_packets; /**< full packets that one connection event should carry, see pnc/tx_window.h; 0: no
				* limit
				*/
};

/** Operations that a board needs from its adapters. None may be NULL. Any function below may call any of them. */
struct pnc_board_ops {
	/** Apply a configuration, whose values are legal. Return false if the radio cannot: the host then gets an
	 * error.
	 */
	bool (*configure)(void *user, const struct pnc_configure *configuration);
	/** Accept a pairing request, whose values are legal, and carry it out later: pnc_board_pairing_changed reports
	 * that. Return false if it is impossible: the host then gets an error. */
	bool (*pair)(void *user, const struct pnc_pair *pair);
	/** Fill in the state of pairing. Leave `peer` at 0. */
	void (*pairing)(void *user, struct pnc_pairing *pairing);
	/** Accept a request to reset the board (PNC_RESET_KIND_) and carry it out later. Return false if it is
	 * impossible: the host then gets an error. */
	bool (*reset)(void *user, uint8_t kind);
	/** Return the RSSI of a peer in dBm, 127 if unknown. */
	int8_t (*rssi_dbm)(void *user, uint8_t peer);
	/** Note that data is ready: call serial_tx until it leaves room unused, and radio_tx for each peer until it
	 * returns 0. Later data causes another wake. */
	void (*wake)(void *user);
};

/** State of one connection. */
struct pnc_peer {
	struct pnc_radio_link link;
	uint8_t state;       /**< PNC_LINK_STATE_, as reported to the host */
	uint8_t hello_state; /**< PNC_LINK_STATE_: up or refused by the remote board's hello; down before it arrives */
	bool connected;      /**< the radio is up; `state` then equals `hello_state` */
	bool hello_due;      /**< our hello has to be sent before anything else */
	bool report_due;     /**< a link packet to the host is due */
	bool statistics_due;
	uint8_t reason; /**< of the last disconnect */
	struct pnc_tx_window tx_window;
	struct pnc_goodput goodput;
};

struct pnc_board {
	struct pnc_board_identity identity;
	const struct pnc_board_ops *ops;
	void *user;
	uint32_t uptime_ms; /**< as of uptime_us; does not wrap with the clock */
	uint32_t uptime_us;
	struct pnc_frame_reader reader;
	struct pnc_queue queue;
	struct pnc_control control;
	struct pnc_peer peers[PNC_PEERS];
	struct pnc_event_loss event_loss; /**< of a camera's only connection; an edge board does not use it */
	struct pnc_phy_choice phy_choice; /**< the same */
	bool open;                        /**< a host has sent a hello of our protocol version */
	bool hello_due;                   /**< to the host, like the next four */
	bool note_due;
	bool credit_due;
	bool pairing_due;
	uint32_t errors_due; /**< bit n: an error with code n is due */
	uint32_t faults;     /**< bit n: the fault with code n exists; every host hears of it after its hello */
	uint32_t error_detail[17];
	uint8_t sessions;          /**< sessions of hosts opened, from any number on */
	uint32_t heard_ms;         /**< uptime_ms when the last intact frame of a host arrived; 0: none yet */
	uint8_t unreported;        /**< frames received since the last credit */
	uint32_t credited_us;      /**< time of the last credit */
	uint32_t credited_dropped; /**< packets expired, evicted and flushed at that time */
	uint16_t taken;            /**< picture packets received in this session */
	uint16_t acked_packets;    /**< packets acknowledged in this session */
	uint32_t acked_bytes;      /**< codec bytes acknowledged in this session */
	uint32_t acked;            /**< picture packets acknowledged since the start */
	uint32_t lost;             /**< picture packets that were in flight when their connection ended */
	uint32_t unknown;          /**< packets ignored as unknown or malformed */
	bool busy; /**< since busy_at_us the link has been up, with a picture packet in the queue or in flight */
	uint32_t busy_at_us;
	uint32_t busy_us;
	uint8_t frame[PNC_MAX_FRAME + 1u]; /**< being written to the serial port */
	size_t frame_len;
	size_t frame_at;
	uint32_t frames; /**< frames begun since the start; the next one's sequence number is this modulo 256 */
	struct pnc_sent_frames sent_frames;
};

/** @brief Start a board without a host and without connections. Copies `identity`; `ops` must outlive the board. */
void pnc_board_init(struct pnc_board *b, const struct pnc_board_identity *identity, const struct pnc_board_ops *ops,
		    void *user, uint32_t now_us);

/** @brief Process bytes from the serial port. They may have any values. */
void pnc_board_serial_rx(struct pnc_board *b, uint32_t now_us, const uint8_t *bytes, size_t len);

/**
 * @brief Write up to `room` bytes for the serial port to `out` and return their number. Less than `room` means that
 * nothing else is waiting. May stop in the middle of a frame; the next call continues it. A packet leaves the queue
 * when its frame begins.
 */
size_t pnc_board_serial_tx(struct pnc_board *b, uint32_t now_us, uint8_t *out, size_t room);

/**
 * @brief Report that the host closed the port. A camera flushes its queue, because nobody waits for those pictures any
 * more. An edge board keeps its queue for the next host.
 */
void pnc_board_serial_closed(struct pnc_board *b, uint32_t now_us);

/**
 * @brief Report that a connection can carry packets in both directions (is subscribed), or that its parameters changed.
 * peer < PNC_PEERS; 0 on a camera.
 */
void pnc_board_radio_up(struct pnc_board *b, uint32_t now_us, uint8_t peer, const struct pnc_radio_link *link);

/** @brief Report the end of a connection; `reason` is Bluetooth's. Packets in flight count as lost. */
void pnc_board_radio_down(struct pnc_board *b, uint32_t now_us, uint8_t peer, uint8_t reason);

/** @brief Process a packet from the air. It may have any bytes and any length. */
void pnc_board_radio_rx(struct pnc_board *b, uint32_t now_us, uint8_t peer, const uint8_t *packet, size_t len);

/**
 * @brief Write the next packet for a peer to `out` (PNC_MAX_PACKET bytes) and return its length. Return 0 if there is
 * none, or if no more packets of this connection may be in flight.
 */
size_t pnc_board_radio_tx(struct pnc_board *b, uint32_t now_us, uint8_t peer, uint8_t *out);

/** @brief Report that the link layer acknowledged the oldest packet in flight to a peer. */
void pnc_board_radio_sent(struct pnc_board *b, uint32_t now_us, uint8_t peer);

/** @brief Return the PHY (PNC_PHY_) that the radio should request for a camera's connection, by the conditions: see
 * pnc/phy_choice.h. PNC_PHY_KEEP: the present one fits. Call every 50 ms or so while the connection is up. `rssi_dbm`
 * was measured since the last call, PNC_RSSI_UNKNOWN if it was not. */
uint8_t pnc_board_radio_phy(struct pnc_board *b, uint32_t now_us, int8_t rssi_dbm);

/** @brief Return how long the host has been silent, ms: since its last intact frame, or since the start. */
uint32_t pnc_board_silent_ms(const struct pnc_board *b);

/** @brief Send the state of pairing to the host, because it changed or the host requested it. */
void pnc_board_pairing_changed(struct pnc_board *b, uint32_t now_us);

/**
 * @brief Report a fault of the board itself, PNC_FIRST_FAULT or a later code: the host hears of it now, and every later
 * one after its hello. A detail of 0 ends the fault.
 */
void pnc_board_fault(struct pnc_board *b, uint32_t now_us, enum pnc_error_code code, uint32_t detail);

/** @brief Drop expired packets and repeat a credit that is due. Call at least every 50 ms; calling it more often is
 * cheap. */
void pnc_board_tick(struct pnc_board *b, uint32_t now_us);

#endif
