/* Encode any bytes of up to a frame; decode any bytes without end, into a buffer of the reader's size or of any other. */
#include "any.h"
#include "pnc/cobs.h"
#include "pnc_wire.h"

#define PLAIN (PNC_MAX_PACKET + PNC_FRAME_OVERHEAD)

static void encode(void)
{
	uint8_t in[PLAIN];
	uint8_t out[PNC_COBS_MAX(PLAIN)];
	any_bytes(in, sizeof(in));
	size_t written = pnc_cobs_encode(in, any_size(0, sizeof(in)), out);
	//@ assert written <= PNC_COBS_MAX(PLAIN);
	(void)written;
}

static void decode(void)
{
	uint8_t buffer[PLAIN];
	struct pnc_cobs_decoder decoder;
	pnc_cobs_decoder_init(&decoder, buffer, any_size(0, sizeof(buffer)));
	while (any_of(2)) {
		(void)pnc_cobs_decode(&decoder, any_u8());
		//@ assert decoder.len <= PLAIN;
	}
}

int main(void)
{
	encode();
	decode();
	return 0;
}
