#include "pnc/crc.h"

#include "pnc_wire.h"

/* Entry i is the CRC of the four bits of i. */
static const uint32_t nibbles[16] = {
	0x00000000u, 0x1DB71064u, 0x3B6E20C8u, 0x26D930ACu, 0x76DC4190u, 0x6B6B51F4u, 0x4DB26158u, 0x5005713Cu,
	0xEDB88320u, 0xF00F9344u, 0xD6D6A3E8u, 0xCB61B38Cu, 0x9B64C2B0u, 0x86D3D2D4u, 0xA00AE278u, 0xBDBDF21Cu,
};

/* The CRC after four bits more, which were added to its lowest four. */
#define NIBBLE(crc) (((crc) >> 4) ^ nibbles[(crc)&0xFu])

uint32_t pnc_crc32(uint32_t crc, const uint8_t *data, size_t len)
{
	crc = ~crc;
	size_t i = 0;
	for (; i + 4u <= len; i += 4u) { /* a word at a time: a loop for each byte would take half as long again */
		crc ^= pnc_get32(data + i);
		crc = NIBBLE(crc);
		crc = NIBBLE(crc);
		crc = NIBBLE(crc);
		crc = NIBBLE(crc);
		crc = NIBBLE(crc);
		crc = NIBBLE(crc);
		crc = NIBBLE(crc);
		crc = NIBBLE(crc);
	}
	for (; i < len; i++) {
		crc ^= data[i];
		crc = NIBBLE(crc);
		crc = NIBBLE(crc);
	}
	return ~crc;
}
