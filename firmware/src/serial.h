/**
 * @file
 * @brief The serial port: the node that the devicetree chooses as `pnc,serial`, otherwise the board's console. Only
 * one thread may read and write.
 */
#ifndef PNC_SERIAL_H
#define PNC_SERIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zephyr/devicetree.h>

#if DT_HAS_CHOSEN(pnc_serial)
#define SERIAL_NODE DT_CHOSEN(pnc_serial)
#else
#define SERIAL_NODE DT_CHOSEN(zephyr_console)
#endif

/**
 * @brief Start the port. Return false if it is not available. `on_event` is called when bytes arrived or there is room,
 * in interrupt context or on the work queue of the USB stack.
 */
bool serial_start(void (*on_event)(void));

/** @brief Read up to `room` bytes and return their number. While bytes are left unread, flow control stops the host. */
size_t serial_read(uint8_t *out, size_t room);

/** @brief Return the number of bytes that serial_write accepts now. */
size_t serial_room(void);

/** @brief Write bytes, at most serial_room() of them. */
void serial_write(const uint8_t *bytes, size_t len);

/** @brief Return false if no host has opened the port; true if one has, or if the port cannot detect that. */
bool serial_open(void);

#endif
