/* What a rogue board sends. */
#ifndef ROGUE_PACKETS_H
#define ROGUE_PACKETS_H

#include <stddef.h>
#include <stdint.h>

/* Number of packets of packets_write: twice every first byte in each of some lengths. A valid hello precedes the second
 * round. */
#define PACKETS 3604

/* Write packet `number`, at most 244 bytes, and return its length. */
size_t packets_write(int number, uint8_t *out);

/* Number of raw PDUs of raw_write. */
#define RAW 600

/* Write the payload of L2CAP PDU `number`, at most 400 bytes, and its channel; return its length. */
size_t raw_write(int number, uint8_t *out, uint16_t *channel);

#endif
