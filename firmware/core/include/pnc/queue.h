/* The prioritized queue of picture packets: fixed memory, rank first, then earliest deadline, then arrival.
 *
 * One bucket for each rank, in the order of deadlines; a bit map of the buckets in use finds the best and the worst.
 * Pop is O(1), push is O(1) while the deadlines of a rank arrive in order (else it walks past the later ones).
 * A packet is past its deadline when less than 1 ms is left (its header counts whole ms); such packets are dropped
 * where they are met, each once.
 *
 * Every packet offered is accounted for, at any moment:
 *     accepted = sent + expired + evicted + flushed + waiting
 *
 * Not thread-safe: one caller at a time (the board's). */
#ifndef PNC_QUEUE_H
#define PNC_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#include "pnc/config.h"
#include "pnc_wire.h"

struct pnc_slot {
	uint32_t deadline_us;
	uint8_t previous; /* in the bucket; PNC_NO_SLOT at its end */
	uint8_t next;
	uint8_t len;
	uint8_t packet[PNC_MAX_PACKET];
};

#define PNC_NO_SLOT 0xFFu

/* Running totals since init; they wrap at 2^32 together. */
struct pnc_queue_totals {
	uint32_t accepted; /* offered by push */
	uint32_t sent;     /* taken by pop */
	uint32_t expired;  /* dropped past their deadline */
	uint32_t evicted;  /* dropped as the worst of a full queue */
	uint32_t flushed;  /* dropped by flush */
};

struct pnc_queue {
	struct pnc_slot slots[PNC_QUEUE_SLOTS];
	uint8_t head[PNC_MAX_RANKS]; /* first slot of each rank's bucket; PNC_NO_SLOT if empty */
	uint8_t tail[PNC_MAX_RANKS];
	uint32_t used[PNC_MAX_RANKS / 32u]; /* bit r % 32 of word r / 32: rank r has packets */
	uint32_t used_words;                /* bit w: used[w] is not zero */
	uint8_t free;                       /* first of the free slots, chained by next */
	uint8_t waiting;
	uint32_t earliest_us; /* no waiting packet has an earlier deadline */
	struct pnc_queue_totals totals;
};

enum pnc_push {
	PNC_PUSH_OK,      /* waiting */
	PNC_PUSH_EVICTED, /* waiting; the worst waiting packet made room for it */
	PNC_PUSH_REFUSED, /* the queue is full and this one is the worst: counted as evicted */
	PNC_PUSH_EXPIRED  /* its remaining time is 0: counted as expired */
};

/* Empties the queue and zeroes its totals. */
void pnc_queue_init(struct pnc_queue *q);

/* Offers a picture packet, PNC_PICTURE_HEADER < len <= PNC_MAX_PACKET (the caller has checked both); it is
 * copied. Its deadline is now plus its remaining time. When the queue is full, packets past their deadline go
 * first, then the worst (highest rank; among equals latest deadline, then last arrived). */
enum pnc_push pnc_queue_push(struct pnc_queue *q, uint32_t now_us, const uint8_t *packet, size_t len);

/* Takes the best packet before its deadline: writes it to out (PNC_MAX_PACKET bytes), its remaining time as of
 * now, rounded down to whole ms; returns its length, 0 if none waits. Packets past their deadline that it meets
 * are dropped as expired. */
size_t pnc_queue_pop(struct pnc_queue *q, uint32_t now_us, uint8_t *out);

/* Drops every packet past its deadline; returns their number. O(waiting) if any can be, else O(1). */
uint8_t pnc_queue_expire(struct pnc_queue *q, uint32_t now_us);

/* Drops the packets of one image of one source; returns their number. O(waiting). */
uint8_t pnc_queue_flush(struct pnc_queue *q, uint8_t source, uint8_t image);

/* Drops the packets of one source, all images; returns their number. O(waiting). */
uint8_t pnc_queue_flush_source(struct pnc_queue *q, uint8_t source);

/* Drops everything; returns the number of packets. */
uint8_t pnc_queue_flush_all(struct pnc_queue *q);

#endif
