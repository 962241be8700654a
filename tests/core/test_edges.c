/* Edges of the small files, at which a changed line once went unnoticed. */
#include "check.h"
#include "pictures.h"
#include "pnc/cobs.h"
#include "pnc/frame.h"
#include "pnc/goodput.h"
#include "pnc/sent_frames.h"
#include "pnc/tx_window.h"

#define SECOND_US 1000000u
#define MOST_BYTES (UINT32_MAX / 8000u)

static struct pnc_sent_frames kept;

/* Keep a picture packet of an image as frame `number`. */
static void keep(uint32_t number, uint16_t image)
{
	uint8_t packet[PNC_MAX_PACKET];
	struct picture p = {.image = image, .remaining_ms = 100};
	size_t len = picture_write(&p, packet);
	pnc_sent_frames_add(&kept, 0, number, packet, len);
}

/* Take the oldest frame that is missing from the last 32 before `next_seq`; return its image, -1 if there is none. */
static int take(uint32_t number, uint8_t next_seq, uint32_t missing)
{
	uint8_t packet[PNC_MAX_PACKET];
	size_t len = pnc_sent_frames_take(&kept, 0, number, next_seq, missing, packet);
	return len > 0 ? picture_read(packet, len).image : -1;
}

TEST(test_a_clock_that_goes_back_a_step_divides_nothing_by_zero)
{
	struct pnc_tx_window window;
	pnc_tx_window_init(&window, 4);
	pnc_tx_window_add(&window, 1000, 236, true);
	(void)pnc_tx_window_acknowledge(&window, 999, 7500);
	CHECK_EQ(window.count, 0);
	CHECK_EQ(window.limit, 1);
}

TEST(test_a_decoder_starts_empty)
{
	uint8_t buffer[4];
	struct pnc_cobs_decoder d;
	memset(&d, 0xAA, sizeof(d));
	pnc_cobs_decoder_init(&d, buffer, sizeof(buffer));
	CHECK_EQ(d.len, 0);
	CHECK_EQ(pnc_cobs_decode(&d, 0), PNC_COBS_MORE);
}

TEST(test_a_gap_is_forgotten_once)
{
	struct pnc_frame_reader reader;
	uint8_t frame[PNC_MAX_FRAME + 1u];
	const uint8_t packet[] = {1, 2};
	pnc_frame_reader_init(&reader);
	size_t written = pnc_frame_write(5, packet, sizeof(packet), frame);
	for (size_t i = 0; i < written; i++) {
		(void)pnc_frame_read(&reader, frame[i]);
	}
	CHECK_EQ(reader.missed, 5);
	pnc_frame_reader_restart(&reader);
	pnc_frame_reader_restart(&reader);
	CHECK_EQ(reader.missed, 0);
	CHECK_EQ(reader.gap, 0);
}

TEST(test_goodput_starts_at_nothing_and_stops_at_its_most)
{
	struct pnc_goodput g;
	memset(&g, 0xAA, sizeof(g));
	pnc_goodput_init(&g, 0);
	CHECK_EQ(g.bps, 0);
	CHECK_EQ(g.bytes, 0);
	pnc_goodput_add(&g, MOST_BYTES - 1u);
	pnc_goodput_add(&g, 5);
	CHECK_EQ(g.bytes, MOST_BYTES);
	pnc_goodput_add(&g, UINT32_MAX);
	CHECK_EQ(g.bytes, MOST_BYTES);
	pnc_goodput_tick(&g, SECOND_US + SECOND_US / 2u);
	CHECK_EQ(g.bps, MOST_BYTES * 8000u / 1500u);
	CHECK_EQ(g.bytes, 0);
	pnc_goodput_tick(&g, 2u * SECOND_US);
	CHECK_EQ(g.bps, MOST_BYTES * 8000u / 1500u);
}

TEST(test_frames_leave_in_the_order_in_which_they_were_written)
{
	memset(&kept, 0, sizeof(kept));
	for (uint32_t i = 0; i < PNC_SENT_FRAMES + 4u; i++) {
		keep(i, (uint16_t)i);
	}
	uint32_t number = PNC_SENT_FRAMES + 4u;
	for (uint32_t i = 4; i < number; i++) {
		CHECK_EQ(take(number, (uint8_t)number, UINT32_MAX), i);
	}
	CHECK_EQ(take(number, (uint8_t)number, UINT32_MAX), -1);
}

TEST(test_a_repeat_names_frames_up_to_128_ago_and_32_before_its_next)
{
	memset(&kept, 0, sizeof(kept));
	keep(100, 7);
	CHECK_EQ(take(229, 101, 1), -1);
	CHECK_EQ(take(228, 133, UINT32_MAX), -1);
	CHECK_EQ(take(228, 132, 0x7FFFFFFFu), -1);
	CHECK_EQ(take(228, 101, 1), 7);
}

TEST(test_a_packet_of_one_byte_is_kept)
{
	uint8_t out[PNC_MAX_PACKET];
	const uint8_t packet[] = {PNC_TYPE_LINK};
	memset(&kept, 0, sizeof(kept));
	pnc_sent_frames_add(&kept, 0, 0, packet, sizeof(packet));
	CHECK_EQ(pnc_sent_frames_take(&kept, 0, 1, 1, 1, out), 1);
	CHECK_EQ(out[0], PNC_TYPE_LINK);
}

TEST(test_a_frame_without_time_does_not_hide_those_after_it)
{
	uint8_t out[PNC_MAX_PACKET];
	const uint8_t packet[] = {PNC_TYPE_LINK};
	memset(&kept, 0, sizeof(kept));
	keep(0, 3);
	pnc_sent_frames_add(&kept, 0, 1, packet, sizeof(packet));
	CHECK_EQ(pnc_sent_frames_take(&kept, SECOND_US, 2, 2, 3, out), 1);
	CHECK_EQ(out[0], PNC_TYPE_LINK);
	CHECK_EQ(pnc_sent_frames_take(&kept, SECOND_US, 2, 2, 3, out), 0);
}

TEST(test_clear_and_flush_reach_the_first_and_the_last_place)
{
	memset(&kept, 0, sizeof(kept));
	for (uint32_t i = 0; i < PNC_SENT_FRAMES; i++) {
		keep(i, 3);
	}
	pnc_sent_frames_flush(&kept, 0, 5, false);
	pnc_sent_frames_flush(&kept, 0, 2, false);
	pnc_sent_frames_flush(&kept, 1, 3, false);
	CHECK_EQ(take(PNC_SENT_FRAMES, PNC_SENT_FRAMES, UINT32_MAX), 3);
	memset(&kept, 0, sizeof(kept));
	for (uint32_t i = 0; i < PNC_SENT_FRAMES; i++) {
		keep(i, 3);
	}
	pnc_sent_frames_flush(&kept, 0, 3, false);
	CHECK_EQ(take(PNC_SENT_FRAMES, PNC_SENT_FRAMES, UINT32_MAX), -1);
	for (uint32_t i = 0; i < PNC_SENT_FRAMES; i++) {
		keep(i, 3);
	}
	pnc_sent_frames_clear(&kept);
	CHECK_EQ(take(PNC_SENT_FRAMES, PNC_SENT_FRAMES, UINT32_MAX), -1);
}
