/**
 * @file
 * @brief The last frames written to the serial port, kept so that the host can ask for those that did not arrive.
 *
 * A kept frame leaves when it is asked for, because its packet is then sent again in a new frame, or when a newer frame
 * needs its place. Fixed memory: PNC_SENT_FRAMES frames.
 */
#ifndef PNC_SENT_FRAMES_H
#define PNC_SENT_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pnc/config.h"
#include "pnc_wire.h"

struct pnc_sent_frame {
	uint32_t number;      /**< of the frame; its sequence number is this modulo 256 */
	uint32_t deadline_us; /**< of a picture packet */
	PNC_WORDWISE uint8_t packet[PNC_MAX_PACKET];
	uint8_t len; /**< 0: no frame is kept here */
};

struct pnc_sent_frames {
	struct pnc_sent_frame frames[PNC_SENT_FRAMES];
	uint8_t oldest;
};

/** @brief Forget all frames. */
void pnc_sent_frames_clear(struct pnc_sent_frames *s);

/** @brief Keep the packet of frame `number`, 1 <= len <= PNC_MAX_PACKET, in place of the oldest one. */
void pnc_sent_frames_add(struct pnc_sent_frames *s, uint32_t now_us, uint32_t number, const uint8_t *packet,
			 size_t len);

/**
 * @brief Remove the oldest kept frame that a repeat names, write its packet to `out` (PNC_MAX_PACKET bytes) and return
 * its length; return 0 if there is none. `number` is that of the next frame, `next_seq` and `missing` are those of the
 * repeat. The remaining time of a picture packet is as of now; a picture packet without any is removed and passed
 * over. O(PNC_SENT_FRAMES).
 */
size_t pnc_sent_frames_take(struct pnc_sent_frames *s, uint32_t now_us, uint32_t number, uint8_t next_seq,
			    uint32_t missing, uint8_t *out);

/** @brief Forget the picture packets of one image of one source, or of all its images. O(PNC_SENT_FRAMES). */
void pnc_sent_frames_flush(struct pnc_sent_frames *s, uint8_t source, uint16_t image, bool all);

#endif
