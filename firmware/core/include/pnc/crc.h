/* CRC-32 of IEEE 802.3 (reflected, polynomial 0xEDB88320, start and final XOR 0xFFFFFFFF): the one of zlib. */
#ifndef PNC_CRC_H
#define PNC_CRC_H

#include <stddef.h>
#include <stdint.h>

/* The CRC of data[0..len), continuing `crc`, which is 0 for the first piece: the CRC of a whole is the CRC of
 * its pieces in turn. len may be 0. */
uint32_t pnc_crc32(uint32_t crc, const uint8_t *data, size_t len);

#endif
