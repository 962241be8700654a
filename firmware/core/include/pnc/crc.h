/**
 * @file
 * @brief CRC-32 of IEEE 802.3 (reflected, polynomial 0xEDB88320, initial value and final XOR 0xFFFFFFFF), as in zlib.
 */
#ifndef PNC_CRC_H
#define PNC_CRC_H

#include <stddef.h>
#include <stdint.h>

/**
 * @brief Return the CRC of data[0..len), continuing `crc`: 0 for the first part of the data, then the result for the
 * parts before. len may be 0.
 */
uint32_t pnc_crc32(uint32_t crc, const uint8_t *data, size_t len);

#endif
