/* The reader and the writer of every control packet: what was read is written as the same bytes, and nothing beyond
 * the packet is read. */
#include "fuzz.h"
#include "pnc_wire.h"

static int read_as_something;

/* A reader takes any bytes of a legal length. Written and read again they give the same bytes; only the type, which
 * readers do not look at, and reserved bytes may differ from the input. */
#define TRY(name, NAME)                                                                                                \
	do {                                                                                                           \
		struct pnc_##name value;                                                                               \
		struct pnc_##name again;                                                                               \
		uint8_t first[UINT8_MAX + PNC_MAX_PACKET];                                                             \
		uint8_t second[UINT8_MAX + PNC_MAX_PACKET];                                                            \
		bool fits = size >= PNC_##NAME##_SIZE && size <= PNC_MAX_PACKET;                                       \
		ALWAYS(pnc_##name##_read(&value, data, size) == fits);                                                 \
		if (fits) {                                                                                            \
			size_t len = pnc_##name##_write(&value, first);                                                \
			ALWAYS(len >= PNC_##NAME##_SIZE && len <= size);                                               \
			ALWAYS(first[0] == PNC_TYPE_##NAME && first[1] == data[1]);                                    \
			ALWAYS(memcmp(first + 1, data + 1, len - 1u) == 0);                                            \
			ALWAYS(pnc_##name##_read(&again, first, len));                                                 \
			ALWAYS(pnc_##name##_write(&again, second) == len && memcmp(first, second, len) == 0);          \
			read_as_something++;                                                                           \
		}                                                                                                      \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TRY(hello, HELLO);
	TRY(configure, CONFIGURE);
	TRY(credit, CREDIT);
	TRY(flush, FLUSH);
	TRY(statistics_request, STATISTICS_REQUEST);
	TRY(statistics, STATISTICS);
	TRY(ping, PING);
	TRY(pong, PONG);
	TRY(result, RESULT);
	TRY(link, LINK);
	TRY(log, LOG);
	TRY(error, ERROR);
	TRY(pair, PAIR);
	TRY(pairing, PAIRING);
	TRY(repeat, REPEAT);
	TRY(reset, RESET);
	return 0;
}
