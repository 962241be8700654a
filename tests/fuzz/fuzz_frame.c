/* The frame reader and the COBS decoder against a naive decoder of whole streams. */
#include "fuzz.h"
#include "pnc/cobs.h"
#include "pnc/crc.h"
#include "pnc/frame.h"

#define STREAM_MAX 8192u
#define CAPACITY (PNC_MAX_PACKET + PNC_FRAME_OVERHEAD)

static uint8_t stream[STREAM_MAX];
static size_t stream_len;

static void append(const uint8_t *bytes, size_t len)
{
	if (stream_len + len <= STREAM_MAX) {
		memcpy(stream + stream_len, bytes, len);
		stream_len += len;
	}
}

/* CRC-32 bit by bit (ISO 3309). */
static uint32_t naive_crc(const uint8_t *bytes, size_t len)
{
	uint32_t crc = UINT32_MAX;
	for (size_t i = 0; i < len; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++) {
			crc = crc >> 1 ^ ((crc & 1u) != 0 ? 0xEDB88320u : 0);
		}
	}
	return ~crc;
}

/* Decodes a chunk between two zeros. Returns its length, or CAPACITY + 1 if it is cut or too long. */
static size_t naive_cobs(const uint8_t *chunk, size_t len, uint8_t *out)
{
	size_t n = 0;
	for (size_t at = 0; at < len;) {
		size_t code = chunk[at];
		if (at + code > len || n + code - 1u > CAPACITY) {
			return CAPACITY + 1u;
		}
		memcpy(out + n, chunk + at + 1u, code - 1u);
		n += code - 1u;
		at += code;
		if (at < len && code != 0xFFu) {
			if (n == CAPACITY) {
				return CAPACITY + 1u;
			}
			out[n++] = 0;
		}
	}
	return n;
}

/* Bytes of any kind; frames; frames with one byte changed. */
static void make_stream(struct input *in)
{
	uint8_t seq = 0;
	stream_len = 0;
	while (in->left > 0) {
		uint8_t what = eat(in);
		uint8_t packet[PNC_MAX_PACKET];
		uint8_t frame[PNC_MAX_FRAME + 1u];
		size_t len = eat_some(in, packet, PNC_MAX_PACKET);
		if (what % 4u == 0 || len == 0) {
			append(packet, len);
			continue;
		}
		size_t framed = pnc_frame_write(seq, packet, len, frame);
		ALWAYS(framed <= PNC_MAX_FRAME + 1u && frame[framed - 1u] == 0);
		ALWAYS(memchr(frame, 0, framed) == frame + framed - 1u);
		seq = (uint8_t)(seq + 1u + (what % 4u == 3u ? what >> 2 : 0u));
		if (what % 4u == 2u) {
			frame[(what >> 2) * framed / 64u] ^= (uint8_t)(1u << len % 8u);
		}
		append(frame, framed);
	}
}

/* What the frame that ends here should be. */
static enum pnc_frame_event expected(const uint8_t *chunk, size_t len, uint8_t *out, size_t *out_len)
{
	if (len == 0) {
		return PNC_FRAME_MORE;
	}
	size_t n = naive_cobs(chunk, len, out);
	if (n > CAPACITY || n <= PNC_FRAME_OVERHEAD || naive_crc(out, n - 4u) != pnc_get32(out + n - 4u)) {
		return PNC_FRAME_DAMAGED;
	}
	*out_len = n - PNC_FRAME_OVERHEAD;
	return PNC_FRAME_PACKET;
}

static void check_frames(void)
{
	struct pnc_frame_reader r;
	uint8_t whole[CAPACITY + 1u];
	uint8_t next_seq = 0;
	uint32_t damaged = 0;
	uint32_t missed = 0;
	size_t from = 0;
	pnc_frame_reader_init(&r);
	for (size_t i = 0; i < stream_len; i++) {
		enum pnc_frame_event event = pnc_frame_read(&r, stream[i]);
		if (stream[i] != 0) {
			ALWAYS(event == PNC_FRAME_MORE);
			continue;
		}
		size_t len = 0;
		ALWAYS(event == expected(stream + from, i - from, whole, &len));
		from = i + 1u;
		damaged += event == PNC_FRAME_DAMAGED;
		if (event == PNC_FRAME_PACKET) {
			ALWAYS(r.len == len && r.seq == whole[0] && memcmp(r.packet, whole + 1, len) == 0);
			missed += (uint8_t)(r.seq - next_seq);
			ALWAYS(r.gap == (uint8_t)(r.seq - next_seq));
			next_seq = (uint8_t)(r.seq + 1u);
			ALWAYS((r.missing & 1u) == 0);
		}
		ALWAYS(r.next_seq == next_seq && r.damaged == damaged && r.missed == missed);
	}
}

/* The decoder alone, with a buffer of any size. */
static void check_cobs(size_t capacity)
{
	struct pnc_cobs_decoder d;
	uint8_t *buffer = malloc(capacity + 1u);
	ALWAYS(buffer != NULL);
	buffer[capacity] = 0xA5;
	pnc_cobs_decoder_init(&d, buffer, capacity);
	for (size_t i = 0; i < stream_len; i++) {
		(void)pnc_cobs_decode(&d, stream[i]);
		ALWAYS(d.len <= capacity);
	}
	size_t len = d.len;
	pnc_cobs_decoder_init(&d, buffer, capacity);
	for (size_t i = 0; i < stream_len; i++) {
		i += pnc_cobs_decode_data(&d, stream + i, stream_len - i);
		ALWAYS(d.len <= capacity && i <= stream_len);
		if (i < stream_len) {
			(void)pnc_cobs_decode(&d, stream[i]);
		}
	}
	ALWAYS(d.len == len);
	ALWAYS(buffer[capacity] == 0xA5);
	free(buffer);
}

static void check_round_trip(const uint8_t *data, size_t size)
{
	uint8_t *coded = malloc(PNC_COBS_MAX(size) + 1u);
	uint8_t *back = malloc(size + 1u);
	struct pnc_cobs_decoder d;
	ALWAYS(coded != NULL && back != NULL);
	size_t n = pnc_cobs_encode(data, size, coded);
	ALWAYS(n <= PNC_COBS_MAX(size) && memchr(coded, 0, n) == NULL);
	coded[n] = 0;
	pnc_cobs_decoder_init(&d, back, size);
	for (size_t i = 0; i < n; i++) {
		ALWAYS(pnc_cobs_decode(&d, coded[i]) == PNC_COBS_MORE);
	}
	ALWAYS(pnc_cobs_decode(&d, 0) == PNC_COBS_FRAME);
	ALWAYS(d.len == size && (size == 0 || memcmp(back, data, size) == 0));
	ALWAYS(pnc_crc32(0, data, size) == naive_crc(data, size));
	free(coded);
	free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	uint8_t capacity = eat(&in);
	make_stream(&in);
	check_frames();
	check_cobs(capacity);
	check_round_trip(data, size);
	return 0;
}
