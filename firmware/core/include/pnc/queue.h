/**
 * @file
 * @brief The priority queue of picture packets, in fixed memory. Order: rank, then earliest deadline, then arrival.
 *
 * Each rank has a bucket, sorted by deadline. A bit map of the buckets in use finds the best and the worst packet.
 * Pop is O(1). Push is O(1) while the deadlines of a rank arrive in order; otherwise it walks past the later ones.
 * A packet has expired when less than 1 ms of its time remains, since its header counts whole ms. The queue drops
 * expired packets when it comes across them.
 *
 * Every packet that was offered is accounted for, at any moment:
 *     accepted = sent + expired + evicted + flushed + waiting
 *
 * Not thread-safe: one caller at a time.
 */
#ifndef PNC_QUEUE_H
#define PNC_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#include "pnc/config.h"
#include "pnc_wire.h"

struct pnc_slot {
	uint32_t deadline_us;
	uint8_t previous; /**< in the bucket, like `next`; PNC_NO_SLOT at its end */
	uint8_t next;
	uint8_t len;
	PNC_WORDWISE uint8_t packet[PNC_MAX_PACKET];
};

#define PNC_NO_SLOT 0xFFu

/** Totals since init, modulo 2^32. */
struct pnc_queue_totals {
	uint32_t accepted; /**< offered by push */
	uint32_t sent;     /**< removed by pop, and not taken back */
	uint32_t expired;  /**< dropped after their deadline */
	uint32_t evicted;  /**< dropped as the worst packet of a full queue */
	uint32_t flushed;  /**< dropped by flush */
};

struct pnc_queue {
	struct pnc_slot slots[PNC_QUEUE_SLOTS];
	uint8_t head[PNC_MAX_RANKS]; /**< first slot of each rank's bucket; PNC_NO_SLOT if it is empty */
	uint8_t tail[PNC_MAX_RANKS];
	uint32_t used[PNC_MAX_RANKS / 32u]; /**< bit r % 32 of word r / 32: rank r has packets */
	uint32_t used_words;                /**< bit w: used[w] is not zero */
	uint8_t free;                       /**< first free slot; `next` links the others */
	uint8_t waiting;
	uint32_t earliest_us; /**< no waiting packet has an earlier deadline */
	struct pnc_queue_totals totals;
};

enum pnc_push {
	PNC_PUSH_OK,      /**< the packet waits */
	PNC_PUSH_EVICTED, /**< the packet waits; the worst waiting packet was dropped for it */
	PNC_PUSH_REFUSED, /**< the queue is full and this packet is the worst: it counts as evicted */
	PNC_PUSH_EXPIRED  /* its remaining time is 0: it counts as expired */
};

/** @brief Initialise an empty queue with zero totals. */
void pnc_queue_init(struct pnc_queue *q);

/**
 * @brief Offer a picture packet, which is copied. The caller ensures PNC_PICTURE_HEADER < len <= PNC_MAX_PACKET. Its
 * deadline is `now_us` plus its remaining time. A full queue drops expired packets first, then the worst packet: the
 * one with the highest rank; among equals, with the latest deadline; among equals, the one that arrived last.
 */
enum pnc_push pnc_queue_push(struct pnc_queue *q, uint32_t now_us, const uint8_t *packet, size_t len);

/**
 * @brief Take back a packet that pop removed, because it did not arrive. It then waits as if it had been pushed, and
 * counts once: it is no longer `sent`, and `accepted` includes it already.
 */
enum pnc_push pnc_queue_return(struct pnc_queue *q, uint32_t now_us, const uint8_t *packet, size_t len);

/**
 * @brief Remove the best packet that has not expired, write it to `out` (PNC_MAX_PACKET bytes) and return its length;
 * return 0 if none waits. Its remaining time is as of now, rounded down to whole ms. Drops expired packets that precede
 * it.
 */
size_t pnc_queue_pop(struct pnc_queue *q, uint32_t now_us, uint8_t *out);

/** @brief Drop every expired packet and return their number. O(1) if none can have expired, otherwise O(waiting). */
uint8_t pnc_queue_expire(struct pnc_queue *q, uint32_t now_us);

/** @brief Drop the packets of one image of one source and return their number. O(waiting). */
uint8_t pnc_queue_flush(struct pnc_queue *q, uint8_t source, uint16_t image);

/** @brief Drop all packets of one source and return their number. O(waiting). */
uint8_t pnc_queue_flush_source(struct pnc_queue *q, uint8_t source);

/** @brief Drop every packet and return their number. */
uint8_t pnc_queue_flush_all(struct pnc_queue *q);

#endif
