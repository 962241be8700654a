/* Entropy coder of the picture codec: symbols of a stack of square channels <-> packets that decode by themselves.
 *
 * Symbols (0..255) stand in the order of transmission: channel after channel, each row by row. A packet covers a run of
 * them. Each symbol is coded by rANS (J. Duda, arXiv 1311.2540) with a static table, chosen by the symbols to the left
 * and above *within the packet and the channel*, so that a packet needs no other packet. All arithmetic is on integers:
 * every machine makes the same bytes.
 *
 * Nothing here allocates, keeps state, or reads a clock; all of it may be called from any thread. */
#ifndef PNC_CODER_H
#define PNC_CODER_H

#include <stddef.h>
#include <stdint.h>

/* Bits of a table's total, causal neighbours of a symbol (W, N, NW, NE, WW, NN), and kinds of surroundings: 0 with a
 * row above in the packet, 1 without. */
enum {
	PNC_CODER_BITS = 15,
	PNC_CODER_NEAR = 6,
	PNC_CODER_KINDS = 2,
	PNC_CODER_PHASES = 4
};

/* Why a call returned a negative number. */
enum pnc_coder_error {
	PNC_CODER_BAD_MODEL = -1,    /* the model breaks a rule stated at its fields */
	PNC_CODER_BAD_POSITION = -2, /* position is not inside the picture */
	PNC_CODER_NO_ROOM = -3,      /* not even one symbol fits the packet */
	PNC_CODER_TOO_SHORT = -4,    /* the packet ends before its symbols do, or holds no state at all */
	PNC_CODER_UNSOUND = -5       /* no encoder writes these bytes here: damaged, or from elsewhere */
};

/* A shipped model. A symbol less its channel's zero is called its value. With near values v[k], the expected value is
 * m = sum(mean[k] * v[k]) / 64; the uncertainty is t = sum(spread[k] * |64 v[k]| + spread[6 + k] * |64 v[k] - 64 m|).
 * The table is that of [channel][kind][level: thresholds <= t][phase: quarter of m past a whole number]. */
struct pnc_coder_model {
	int32_t channels, side;    /* 1..64 channels of side * side symbols, side 1..64 */
	int32_t reach, levels;     /* 1..127: a table codes values floor(m) +- reach, and one escape; 1..64 levels */
	const uint8_t *zero;       /* [channels] */
	const int16_t *mean;       /* [channels][6], each -1024..1024 */
	const uint16_t *spread;    /* [channels][12], each 0..1024 */
	const int32_t *thresholds; /* [channels][levels - 1], ascending */
	const uint16_t *tables;    /* [channels][2][levels][4][2 * reach + 3] cumulative: 0, rising, 1 << 15 */
};

/* 0 if the model keeps all its rules, else PNC_CODER_BAD_MODEL. The other calls take only models that passed. */
int32_t pnc_coder_check(const struct pnc_coder_model *model);

/* Symbols in a picture: channels * side * side. */
int32_t pnc_coder_total(const struct pnc_coder_model *model);

/* Codes as many symbols from `position` on as fit `room` bytes. symbols: the whole picture; scratch: room for 2 *
 * (total - position) words. Writes *length bytes to out and returns how many symbols they hold (at least 1), or an
 * error. */
int32_t pnc_coder_encode(const struct pnc_coder_model *model, const uint8_t *symbols, int32_t position,
			 uint32_t *scratch, uint8_t *out, size_t room, size_t *length);

/* Decodes the packet in[0..length) whose first symbol stands at `position` into symbols[position..], touching nothing
 * else of it (symbols has room for the whole picture). Returns how many symbols there were (at least 1), or an error,
 * after which symbols[position..] holds nothing of use. Takes any bytes; the work is bounded by the picture. */
int32_t pnc_coder_decode(const struct pnc_coder_model *model, const uint8_t *in, size_t length, int32_t position,
			 uint8_t *symbols);

/* What the tables are fitted on: for each symbol in [position, end), coded in one packet that starts at `position`,
 * the expected value times 64 (m64), the uncertainty t, and the kind. Returns 0 or an error. */
int32_t pnc_coder_survey(const struct pnc_coder_model *model, const uint8_t *symbols, int32_t position, int32_t end,
			 int32_t *m64, int32_t *t, uint8_t *kind);

#endif
