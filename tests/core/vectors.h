/* What the program that vector_tables.py writes needs: each vector is one call or a few. */
#ifndef PNC_VECTORS_H
#define PNC_VECTORS_H

#include "rig.h"

struct bytes {
	const uint8_t *at;
	size_t len;
};

#define NO_BYTES ((const uint8_t *)"")

struct sound_frame {
	uint8_t seq;
	struct bytes packet;
};

static inline void check_frames(struct bytes stream, const struct sound_frame *expected, size_t count, uint32_t damaged,
				uint32_t missed, uint32_t missing, uint8_t next_seq)
{
	struct pnc_frame_reader reader;
	size_t found = 0;
	pnc_frame_reader_init(&reader);
	for (size_t i = 0; i < stream.len; i++) {
		if (pnc_frame_read(&reader, stream.at[i]) == PNC_FRAME_PACKET) {
			CHECK(found < count);
			CHECK_EQ(reader.seq, expected[found].seq);
			CHECK_BYTES(reader.packet, reader.len, expected[found].packet.at, expected[found].packet.len);
			found++;
		}
	}
	CHECK_EQ(found, count);
	CHECK_EQ(reader.damaged, damaged);
	CHECK_EQ(reader.missed, missed);
	CHECK_EQ(reader.missing, missing);
	CHECK_EQ(reader.next_seq, next_seq);
}

static inline void check_bytes(const uint8_t *is, size_t len, struct bytes should)
{
	CHECK_BYTES(is, len, should.at, should.len);
}

static inline void check_accepted(struct rig *r, struct bytes picture)
{
	rig_ready(r, PNC_ROLE_CAMERA);
	rig_say(r, 0, picture.at, picture.len);
	CHECK_EQ(r->board.queue.totals.accepted, 1);
	CHECK_EQ(r->board.unknown, 0);
}

/* A packet of the wrong length or of no known type: the board in session with a host says so, or skips it. */
static inline void check_refused(struct rig *r, struct bytes packet, bool malformed)
{
	rig_ready(r, PNC_ROLE_CAMERA);
	if (packet.len > 0 && packet.len <= PNC_MAX_PACKET) {
		rig_say(r, 0, packet.at, packet.len);
		CHECK_EQ(r->board.unknown, 1);
		rig_hear(r, 0);
		CHECK(!malformed || rig_count(r, PNC_TYPE_ERROR) <= 1);
		CHECK(malformed || rig_count(r, PNC_TYPE_ERROR) == 0);
	}
	pnc_board_radio_rx(&r->board, 0, 0, packet.at, packet.len);
	CHECK(r->board.unknown >= 1);
	CHECK_EQ(r->board.queue.totals.accepted, 0);
}

static inline void serial_in(struct rig *r, uint32_t now_us, struct bytes stream)
{
	pnc_board_serial_rx(&r->board, now_us, stream.at, stream.len);
}

static inline void radio_in(struct rig *r, uint32_t now_us, uint8_t peer, struct bytes packet)
{
	pnc_board_radio_rx(&r->board, now_us, peer, packet.at, packet.len);
}

static inline bool same_packet(const uint8_t *is, size_t len, struct bytes should)
{
	if (len > PNC_ERROR_SIZE && is[0] == PNC_TYPE_ERROR) {
		len = PNC_ERROR_SIZE; /* its text is for people */
	}
	return len == should.len && memcmp(is, should.at, len) == 0;
}

static inline void check_serial_out(struct rig *r, uint32_t now_us, const struct bytes *expected, size_t count)
{
	rig_hear(r, now_us);
	for (size_t i = 0; i < r->heard_count && i < count; i++) {
		CHECK(same_packet(r->heard[i].packet, r->heard[i].len, expected[i]));
	}
	CHECK_EQ(r->heard_count, count);
}

static inline void check_radio_out(struct rig *r, uint32_t now_us, uint8_t peer, const struct bytes *expected,
				   size_t count)
{
	uint8_t packet[PNC_MAX_PACKET];
	size_t len;
	size_t found = 0;
	while ((len = pnc_board_radio_tx(&r->board, now_us, peer, packet)) > 0) {
		CHECK(found < count);
		CHECK(same_packet(packet, len, expected[found]));
		found++;
	}
	CHECK_EQ(found, count);
}

#endif
