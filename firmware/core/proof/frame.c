/* Write any packet; read any bytes without end, with sessions that start again at any time. */
#include "any.h"
#include "pnc/frame.h"

static uint8_t packet[PNC_MAX_PACKET];
static uint8_t out[PNC_MAX_FRAME + 1u];
static struct pnc_frame_reader reader;

int main(void)
{
	any_bytes(packet, sizeof(packet));
	size_t written = pnc_frame_write(any_u8(), packet, any_size(1, sizeof(packet)), out);
	//@ assert written <= PNC_MAX_FRAME + 1;
	pnc_frame_reader_init(&reader);
	while (any_of(2)) {
		enum pnc_frame_event event = pnc_frame_read(&reader, any_u8());
		if (event == PNC_FRAME_PACKET) {
			//@ assert 1 <= reader.len <= PNC_MAX_PACKET;
			//@ assert \valid_read(reader.packet + (0 .. reader.len - 1));
			if (any_of(2)) {
				pnc_frame_reader_restart(&reader);
			}
		}
	}
	return (int)(written & 1u);
}
