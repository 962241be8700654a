/* What a rogue board sends. */
#ifndef ROGUE_PACKETS_H
#define ROGUE_PACKETS_H

#include <stddef.h>
#include <stdint.h>

/* Packets of packets_write: every first byte in every one of some lengths, twice, a hello of ours before the second
 * time. */
#define PACKETS 3604

/* Writes packet `number`, at most 244 bytes; returns its length. */
size_t packets_write(int number, uint8_t *out);

/* Raw PDUs of raw_write. */
#define RAW 600

/* Writes the payload of L2CAP PDU `number`, at most 400 bytes, and its channel; returns its length. */
size_t raw_write(int number, uint8_t *out, uint16_t *channel);

#endif
