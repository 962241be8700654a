/* Shared by analysis.c and its vector code, analysis_avx2.h. Not part of the interface. */
#ifndef PNC_ANALYSIS_INTERNAL_H
#define PNC_ANALYSIS_INTERNAL_H

#include "analysis.h"
#include "simd.h"

#define CELL PNC_ANALYSIS_CELL
#define MAX_SIDE 32
#define MAX_LINE (CELL * MAX_SIDE)

/* Filters are cosines: mirrored left to right and top to bottom, each is itself, with or without its sign changed. So
 * pixels that share a tap are added or subtracted first, and 16 of the 64 products are left. */
enum {
	HALF = CELL / 2,
	KINDS = 4,
	PAIRS = HALF * HALF / 2
};

#endif
