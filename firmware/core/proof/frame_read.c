/* Read any bytes without end, with sessions that start again after any packet. */
#include "any.h"
#include "pnc/frame.h"

static struct pnc_frame_reader reader;

int main(void)
{
	pnc_frame_reader_init(&reader);
	//@ loop widen_hints reader.cobs.len, 249;
	while (any_of(2)) {
		enum pnc_frame_event event = pnc_frame_read(&reader, any_u8());
		//@ assert reader.cobs.len <= reader.cobs.capacity;
		if (event == PNC_FRAME_PACKET && any_of(2)) {
			pnc_frame_reader_restart(&reader);
		}
	}
	return 0;
}
