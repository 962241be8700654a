/* What the board of a fuzz target asks of its surroundings: a command is checked, and carried out or refused by its own
 * value. */
#ifndef PNC_FUZZ_BOARD_OPS_H
#define PNC_FUZZ_BOARD_OPS_H

#include "fuzz.h"
#include "pnc/board.h"

static bool on_pair(void *user, const struct pnc_pair *pair)
{
	(void)user;
	ALWAYS(pair->action <= PNC_PAIR_ACTION_FORGET && pair->method <= PNC_PAIR_METHOD_OUT_OF_BAND);
	return pair->window_s % 2u != 0;
}

static void on_pairing(void *user, struct pnc_pairing *pairing)
{
	(void)user;
	pairing->open = 1;
}

static bool on_reset(void *user, uint8_t kind)
{
	(void)user;
	ALWAYS(kind <= PNC_RESET_KIND_BOOTLOADER);
	return kind == PNC_RESET_KIND_FIRMWARE;
}

#endif
