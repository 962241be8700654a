/**
 * @file
 * @brief The packets in flight of one connection: handed to the radio and not yet acknowledged.
 *
 * The radio cannot give a packet back, and no later packet can overtake it there. So the window limits how many packets
 * are in flight by time: the packets behind the oldest one may take two and a half connection intervals to leave. A
 * fast link fills its events; a slow one has a single packet in the radio.
 *
 * A link layer that always has another packet starts it even when too little of the connection event is left. That
 * packet has to be repeated in the next event, and an event that runs into the next one can cost the next one as well.
 * So a radio may specify how many packets one event should carry. After that many, the window stays closed until only
 * the last of them is still in flight. The link layer then sees an empty queue and ends the event.
 */
#ifndef PNC_TX_WINDOW_H
#define PNC_TX_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "pnc/config.h"

/** One packet in flight. */
struct pnc_tx_packet {
	uint32_t handed_us;  /**< when it was handed to the radio */
	uint8_t codec_bytes; /**< of a picture packet; 0 for a control packet */
	uint8_t position;    /**< in the radio when it was handed over: 1 if it was the only packet there */
	bool credited;       /**< its acknowledgement counts towards the credit of the current session */
};

struct pnc_tx_window {
	struct pnc_tx_packet packets[PNC_IN_FLIGHT_MAX]; /**< ring buffer */
	uint8_t first;                                   /**< index of the oldest packet */
	uint8_t count;                                   /**< packets in flight */
	uint8_t most;                                    /**< upper bound of `limit`, 1 to PNC_IN_FLIGHT_MAX */
	uint8_t limit;                                   /**< packets in flight allowed now, 1 to `most` */
	uint8_t per_event;                               /**< packets per connection event; 0: no limit */
	uint8_t handed;                                  /**< packets handed out for the current event */
	bool ended;                                      /**< packets handed out from now on belong to the next event */
	uint32_t acked_us;                               /**< time of the last acknowledgement */
	uint32_t packet_us; /**< smoothed time that the radio takes for one packet; 0 before the first */
	uint32_t radio_us;  /**< smoothed time in the radio, from hand-over to acknowledgement */
};

/** @brief Initialise the window of a new connection: no packet in flight, at most `most` allowed. */
void pnc_tx_window_init(struct pnc_tx_window *w, uint8_t most);

/** @brief Set how many packets one connection event should carry; 0: no limit. */
void pnc_tx_window_set_event_packets(struct pnc_tx_window *w, uint8_t packets);

/** @brief Return true if no packet may be handed to the radio now. */
bool pnc_tx_window_is_full(const struct pnc_tx_window *w);

/** @brief Record that a packet was handed to the radio. The window must not be full. */
void pnc_tx_window_add(struct pnc_tx_window *w, uint32_t now_us, uint8_t codec_bytes, bool credited);

/**
 * @brief Remove the oldest packet, which has been acknowledged, and return it. At least one packet must be in flight.
 * `interval_us` is the connection interval.
 */
struct pnc_tx_packet pnc_tx_window_acknowledge(struct pnc_tx_window *w, uint32_t now_us, uint32_t interval_us);

/** @brief Return the number of picture packets in flight. */
uint8_t pnc_tx_window_pictures(const struct pnc_tx_window *w);

/** @brief End the session: acknowledgements of the packets in flight no longer count towards a credit. */
void pnc_tx_window_forget_session(struct pnc_tx_window *w);

/**
 * @brief Estimate how long a packet handed out now will be delayed in the radio, us. Two intervals do not count as
 * delay: the wait for a connection event and the wait for the acknowledgement. No later hop can measure this delay, so
 * the sender deducts it from the packet's remaining time in advance.
 */
uint32_t pnc_tx_window_delay_us(const struct pnc_tx_window *w, uint32_t interval_us);

#endif
