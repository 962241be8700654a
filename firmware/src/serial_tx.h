/**
 * @file
 * @brief The bytes that wait to be sent through the serial port, whichever UART API sends them.
 */
#ifndef PNC_SERIAL_TX_H
#define PNC_SERIAL_TX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zephyr/sys/ring_buffer.h>

/** One producer, serial_tx_put; one consumer, the code that serves the UART. */
extern struct ring_buf serial_tx_ring;

/** @brief Let bytes wait, at most as many as serial_room() says. Return true if any wait now. */
bool serial_tx_put(const uint8_t *bytes, size_t len);

#endif
