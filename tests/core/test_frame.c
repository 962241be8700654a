/* CRC, COBS and frames. */
#include "pnc/frame.h"

#include "check.h"
#include "pnc/crc.h"

#define LONG 1024u

static uint8_t plain[LONG];
static uint8_t coded[PNC_COBS_MAX(LONG) + 1u];
static uint8_t decoded[LONG];
static struct pnc_frame_reader reader;

TEST(test_crc_has_the_published_check_value)
{
	/* CRC-32/ISO-HDLC of "123456789" in the catalogue of parametrised CRC algorithms. */
	CHECK_EQ(pnc_crc32(0, (const uint8_t *)"123456789", 9), 0xCBF43926u);
	CHECK_EQ(pnc_crc32(0, NULL, 0), 0);
}

TEST(test_crc_of_pieces_is_the_crc_of_the_whole)
{
	const uint8_t *text = (const uint8_t *)"a picture crosses the link";
	for (size_t cut = 0; cut <= 26; cut++) {
		CHECK_EQ(pnc_crc32(pnc_crc32(0, text, cut), text + cut, 26 - cut), pnc_crc32(0, text, 26));
	}
}

/* The CRC bit by bit, as IEEE 802.3 defines it. */
static uint32_t crc_of_bits(const uint8_t *data, size_t len)
{
	uint32_t crc = 0xFFFFFFFFu;
	for (size_t i = 0; i < len * 8u; i++) {
		uint32_t bit = (uint32_t)data[i / 8u] >> i % 8u & 1u;
		crc = crc >> 1 ^ (((crc ^ bit) & 1u) != 0 ? 0xEDB88320u : 0);
	}
	return ~crc;
}

TEST(test_crc_of_every_length_is_that_of_its_bits)
{
	uint32_t random = 3;
	for (size_t len = 0; len < 40; len++) {
		plain[len] = (uint8_t)check_random(&random);
		CHECK_EQ(pnc_crc32(0, plain, len), crc_of_bits(plain, len));
		CHECK_EQ(pnc_crc32(0, plain + 1, len), crc_of_bits(plain + 1, len));
	}
}

/* Encodes plain[0..len), checks the size and that no zero is in it, decodes it and compares. */
static size_t round_trip(size_t len)
{
	struct pnc_cobs_decoder d;
	size_t written = pnc_cobs_encode(plain, len, coded);
	CHECK(written <= PNC_COBS_MAX(len));
	CHECK(written > len);
	CHECK(memchr(coded, 0, written) == NULL);
	pnc_cobs_decoder_init(&d, decoded, len);
	for (size_t i = 0; i < written; i++) {
		CHECK_EQ(pnc_cobs_decode(&d, coded[i]), PNC_COBS_MORE);
	}
	CHECK_EQ(pnc_cobs_decode(&d, 0), PNC_COBS_FRAME);
	CHECK_BYTES(decoded, d.len, plain, len);
	return written;
}

TEST(test_cobs_at_the_boundaries_of_a_full_block)
{
	static const struct {
		size_t len;
		size_t coded;
	} cases[] = {{252, 253}, {253, 254}, {254, 255}, {255, 257}, {256, 258}, {507, 509}, {508, 510}, {509, 512}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(plain, 0xFF, sizeof(plain));
		CHECK_EQ(round_trip(cases[i].len), cases[i].coded);
		plain[cases[i].len - 1u] = 0;
		(void)round_trip(cases[i].len);
		plain[0] = 0;
		(void)round_trip(cases[i].len);
	}
}

TEST(test_cobs_returns_every_length_of_runs_and_zeros)
{
	for (size_t len = 0; len <= 600; len++) {
		memset(plain, 0xFF, len);
		(void)round_trip(len);
		memset(plain, 0, len);
		(void)round_trip(len);
		for (size_t i = 0; i < len; i++) {
			plain[i] = (uint8_t)i;
		}
		(void)round_trip(len);
	}
}

TEST(test_cobs_returns_random_bytes)
{
	uint32_t random = 1;
	for (int round = 0; round < 2000; round++) {
		size_t len = check_random(&random) % 800u;
		uint32_t spread = 1u + check_random(&random) % 255u;
		for (size_t i = 0; i < len; i++) {
			plain[i] = (uint8_t)(check_random(&random) % spread);
		}
		(void)round_trip(len);
	}
}

TEST(test_cobs_names_a_frame_that_is_cut_short_or_too_long)
{
	struct pnc_cobs_decoder d;
	pnc_cobs_decoder_init(&d, decoded, 4);
	static const uint8_t cut[] = {5, 1, 2, 0};
	for (size_t i = 0; i < 3; i++) {
		CHECK_EQ(pnc_cobs_decode(&d, cut[i]), PNC_COBS_MORE);
	}
	CHECK_EQ(pnc_cobs_decode(&d, 0), PNC_COBS_BAD);
	CHECK_EQ(pnc_cobs_decode(&d, 0), PNC_COBS_MORE);
	static const uint8_t too_long[] = {6, 1, 2, 3, 4, 5};
	for (size_t i = 0; i < sizeof(too_long); i++) {
		CHECK_EQ(pnc_cobs_decode(&d, too_long[i]), PNC_COBS_MORE);
	}
	CHECK_EQ(pnc_cobs_decode(&d, 0), PNC_COBS_BAD);
	static const uint8_t fits[] = {5, 1, 2, 3, 4};
	for (size_t i = 0; i < sizeof(fits); i++) {
		CHECK_EQ(pnc_cobs_decode(&d, fits[i]), PNC_COBS_MORE);
	}
	CHECK_EQ(pnc_cobs_decode(&d, 0), PNC_COBS_FRAME);
	CHECK_EQ(d.len, 4);
}

TEST(test_cobs_in_pieces_is_cobs_byte_by_byte)
{
	uint32_t random = 7;
	uint8_t pieces[40];
	size_t data = 0;
	for (size_t capacity = 0; capacity <= 40; capacity += 8) {
		struct pnc_cobs_decoder whole, part;
		pnc_cobs_decoder_init(&whole, decoded, capacity);
		pnc_cobs_decoder_init(&part, pieces, capacity);
		for (int round = 0; round < 400; round++) {
			size_t len = 1u + check_random(&random) % 30u;
			for (size_t i = 0; i < len; i++) { /* many zeros, many short blocks */
				coded[i] =
					(uint8_t)(check_random(&random) % (check_random(&random) % 4u == 0 ? 3u : 60u));
			}
			for (size_t i = 0; i < len; i++) {
				size_t taken = pnc_cobs_decode_data(&part, coded + i, len - i);
				data += taken;
				CHECK(taken <= len - i);
				for (; taken > 0; taken--, i++) {
					CHECK_EQ(pnc_cobs_decode(&whole, coded[i]), PNC_COBS_MORE);
				}
				CHECK_EQ(part.len, whole.len);
				if (i < len) {
					CHECK_EQ(pnc_cobs_decode_data(&part, coded + i, 1), 0);
					CHECK_EQ(pnc_cobs_decode(&part, coded[i]), pnc_cobs_decode(&whole, coded[i]));
				}
				CHECK_BYTES(pieces, part.len, decoded, whole.len);
			}
		}
	}
	CHECK(data > 10000);
}

/* Feeds bytes; returns how many sound frames they end. */
static unsigned feed(const uint8_t *bytes, size_t len)
{
	unsigned packets = 0;
	for (size_t i = 0; i < len; i++) {
		packets += pnc_frame_read(&reader, bytes[i]) == PNC_FRAME_PACKET;
	}
	return packets;
}

/* Feeds a frame of one byte with that number. */
static void feed_seq(unsigned seq)
{
	uint8_t frame[PNC_MAX_FRAME + 1u];
	uint8_t packet = PNC_TYPE_PING;
	CHECK_EQ(feed(frame, pnc_frame_write((uint8_t)seq, &packet, 1, frame)), 1);
	CHECK_EQ(reader.seq, (uint8_t)seq);
}

TEST(test_every_length_of_packet_comes_back)
{
	uint8_t frame[PNC_MAX_FRAME + 1u];
	for (size_t len = 1; len <= PNC_MAX_PACKET; len++) {
		for (int fill = 0; fill < 256; fill += 51) {
			memset(plain, fill, len);
			size_t written = pnc_frame_write((uint8_t)len, plain, len, frame);
			CHECK(written <= PNC_MAX_FRAME + 1u);
			pnc_frame_reader_init(&reader);
			CHECK_EQ(feed(frame, written), 1);
			CHECK_BYTES(reader.packet, reader.len, plain, len);
			CHECK(reader.packet == reader.buffer + PNC_FRAME_PACKET_AT);
			CHECK_EQ(reader.seq, (uint8_t)len);
		}
	}
}

TEST(test_every_flipped_bit_of_a_frame_is_detected)
{
	uint8_t frame[PNC_MAX_FRAME + 1u];
	uint32_t random = 5;
	static const size_t lengths[] = {1, 2, 40, 243, 244};
	for (size_t k = 0; k < 5; k++) {
		for (size_t i = 0; i < lengths[k]; i++) {
			plain[i] = (uint8_t)(check_random(&random) % 5u);
		}
		size_t written = pnc_frame_write(0, plain, lengths[k], frame);
		for (size_t bit = 0; bit < written * 8u; bit++) {
			frame[bit / 8u] ^= (uint8_t)(1u << bit % 8u);
			pnc_frame_reader_init(&reader);
			CHECK_EQ(feed(frame, written), 0);
			CHECK_EQ(pnc_frame_read(&reader, 0) == PNC_FRAME_PACKET, false);
			CHECK(reader.damaged > 0);
			frame[bit / 8u] ^= (uint8_t)(1u << bit % 8u);
		}
	}
}

TEST(test_the_next_whole_frame_is_found_after_any_garbage)
{
	uint8_t frame[PNC_MAX_FRAME + 1u];
	uint8_t garbage[600];
	uint32_t random = 9;
	for (int round = 0; round < 3000; round++) {
		size_t len = 1u + check_random(&random) % (sizeof(garbage) - 1u);
		for (size_t i = 0; i < len; i++) {
			garbage[i] = (uint8_t)check_random(&random);
		}
		garbage[len - 1u] = 0;
		pnc_frame_reader_init(&reader);
		CHECK_EQ(feed(garbage, len), 0);
		memset(plain, round, 100);
		CHECK_EQ(feed(frame, pnc_frame_write(7, plain, 100, frame)), 1);
		CHECK_BYTES(reader.packet, reader.len, plain, 100);
	}
}

TEST(test_a_truncated_frame_costs_itself_and_the_one_it_runs_into)
{
	uint8_t frame[PNC_MAX_FRAME + 1u];
	memset(plain, 3, 50);
	size_t len = pnc_frame_write(0, plain, 50, frame);
	for (size_t cut = 1; cut < len; cut++) {
		pnc_frame_reader_init(&reader);
		CHECK_EQ(feed(frame, cut), 0);
		CHECK_EQ(feed(frame, len), 0);
		CHECK_EQ(reader.damaged, 1);
		CHECK_EQ(feed(frame, len), 1);
	}
}

TEST(test_zeros_between_frames_are_passed_over)
{
	static const uint8_t zeros[9];
	pnc_frame_reader_init(&reader);
	CHECK_EQ(feed(zeros, sizeof(zeros)), 0);
	CHECK_EQ(reader.damaged, 0);
	feed_seq(0);
	CHECK_EQ(feed(zeros, sizeof(zeros)), 0);
	feed_seq(1);
	CHECK_EQ(reader.damaged, 0);
	CHECK_EQ(reader.missed, 0);
}

TEST(test_a_gap_is_named_bit_by_bit)
{
	pnc_frame_reader_init(&reader);
	feed_seq(0);
	CHECK_EQ(reader.missing, 0);
	feed_seq(3);
	CHECK_EQ(reader.gap, 2);
	CHECK_EQ(reader.next_seq, 4);
	CHECK_EQ(reader.missing, 0x6u); /* 2 and 1, seen from 3 */
	feed_seq(4);
	CHECK_EQ(reader.missing, 0xCu);
	CHECK_EQ(reader.gap, 0);
	feed_seq(6);
	CHECK_EQ(reader.missing, 0x32u);
	CHECK_EQ(reader.missed, 3);
}

TEST(test_a_gap_is_named_across_the_wrap_of_the_numbers)
{
	pnc_frame_reader_init(&reader);
	for (unsigned seq = 0; seq < 255; seq++) {
		feed_seq(seq);
	}
	feed_seq(1);
	CHECK_EQ(reader.gap, 2);
	CHECK_EQ(reader.missing, 0x6u);
	CHECK_EQ(reader.next_seq, 2);
	CHECK_EQ(reader.missed, 2);
}

TEST(test_gaps_as_wide_as_the_window_and_wider)
{
	static const struct {
		unsigned gap;
		uint32_t missing;
	} cases[] = {{29, 0x3FFFFFFEu}, {30, 0x7FFFFFFEu}, {31, 0xFFFFFFFEu},
		     {32, 0xFFFFFFFEu}, {33, 0xFFFFFFFEu}, {200, 0xFFFFFFFEu}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pnc_frame_reader_init(&reader);
		feed_seq(cases[i].gap);
		CHECK_EQ(reader.missing, cases[i].missing);
		CHECK_EQ(reader.missed, cases[i].gap);
		feed_seq(cases[i].gap + 1u);
		CHECK_EQ(reader.missing, cases[i].missing << 1);
	}
}

TEST(test_a_new_session_forgets_what_was_missing_and_keeps_the_totals)
{
	static const uint8_t bad[] = {2, 9, 0};
	pnc_frame_reader_init(&reader);
	feed_seq(2);
	CHECK_EQ(feed(bad, sizeof(bad)), 0);
	feed_seq(100);
	pnc_frame_reader_restart(&reader);
	CHECK_EQ(reader.missing, 0);
	CHECK_EQ(reader.missed, 2);
	CHECK_EQ(reader.damaged, 1);
	CHECK_EQ(reader.next_seq, 101);
	feed_seq(101);
	CHECK_EQ(reader.missing, 0);
}
