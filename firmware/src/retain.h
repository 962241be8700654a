/**
 * @file
 * @brief A record that is retained across a reset: why the board was reset, and where it was.
 */
#ifndef PNC_RETAIN_H
#define PNC_RETAIN_H

#include <stdbool.h>
#include <stdint.h>

/** Bytes of a thread's name, with the closing zero; longer names are cut. */
#define RETAIN_THREAD 12

/** What is known about a reset. */
struct retain_record {
	uint8_t boot;               /**< PNC_BOOT_: the cause */
	uint8_t reason;             /**< of a fault: K_ERR_ of Zephyr */
	uint16_t exception;         /**< of a fault: number of the exception that was handled; 0: a thread ran */
	uint32_t pc;                /**< of a fault: address of the instruction; 0: unknown */
	uint32_t lr;                /**< of a fault: address to which its function would have returned; 0: unknown */
	char thread[RETAIN_THREAD]; /**< the thread that ran, or did not feed the watchdog; empty: unknown */
};

/**
 * @brief Retain a record. May be called from the handler of a fatal error.
 */
void retain_set(const struct retain_record *record);

/**
 * @brief Take the retained record, which is then no longer retained. Call once, from the main thread.
 *
 * @param record Filled in.
 * @return False if there is none: after power-on, and after a reset that no software caused.
 */
bool retain_take(struct retain_record *record);

#endif
