/* Encode any bytes of up to a frame; decode any bytes without end, into the reader's buffer and into tiny ones. */
#include "pnc/cobs.h"
#include "any.h"
#include "pnc_wire.h"

#define PLAIN (PNC_MAX_PACKET + PNC_FRAME_OVERHEAD)
/* Each number of bytes decoded so far is followed on its own where bytes come in pieces, so only few. */
#define SMALL 24u
#define PIECE 32u

static void encode(void)
{
	uint8_t in[PLAIN];
	uint8_t out[PNC_COBS_MAX(PLAIN)];
	any_bytes(in, sizeof(in));
	size_t written = pnc_cobs_encode(in, any_size(0, sizeof(in)), out);
	//@ assert written <= sizeof(out);
}

static void decode(size_t capacity)
{
	uint8_t buffer[PLAIN];
	struct pnc_cobs_decoder decoder;
	pnc_cobs_decoder_init(&decoder, buffer, capacity);
	while (any_of(2)) {
		(void)pnc_cobs_decode(&decoder, any_u8());
		//@ assert decoder.len <= decoder.capacity;
	}
}

static void decode_pieces(size_t capacity)
{
	uint8_t buffer[SMALL];
	uint8_t piece[PIECE];
	struct pnc_cobs_decoder decoder;
	pnc_cobs_decoder_init(&decoder, buffer, capacity);
	//@ dynamic_split decoder.len;
	while (any_of(2)) {
		any_bytes(piece, sizeof(piece));
		(void)pnc_cobs_decode_data(&decoder, piece, any_size(0, sizeof(piece)));
		//@ assert decoder.len <= decoder.capacity;
		(void)pnc_cobs_decode(&decoder, any_u8());
		//@ assert decoder.len <= decoder.capacity;
	}
}

int main(void)
{
	encode();
	decode(PLAIN);
	decode(1);
	decode(0);
	decode_pieces(SMALL);
	decode_pieces(1);
	decode_pieces(0);
	return 0;
}
