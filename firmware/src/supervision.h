/**
 * @file
 * @brief Supervision of the board: watchdog, LEDs, button, resets and the reason of the last one.
 */
#ifndef PNC_SUPERVISION_H
#define PNC_SUPERVISION_H

#include <stdbool.h>
#include <stdint.h>

/** Each thread must feed the watchdog at least once in this time, or the board is reset. */
#define WATCHDOG_TIMEOUT_MS 5000

/** The threads that the watchdog supervises. */
enum watchdog_thread {
	WATCHDOG_MAIN,
	WATCHDOG_BOARD,  /**< serial port and queue */
	WATCHDOG_SENDER, /**< queue and radio */
	WATCHDOG_WORK,   /**< system work queue */
	WATCHDOG_RX,     /**< the Bluetooth stack's thread for what it receives */
	WATCHDOG_THREADS
};

/**
 * @brief Start LEDs and button. `on_button` is called in interrupt context when the button is pressed. Call once, from
 * the main thread.
 */
void supervision_start(void (*on_button)(void));

/**
 * @brief Start the watchdog. Call once, from the main thread, after the settings were loaded: to recover them can take
 * up to eight erasures of a page, of 89.7 ms each, in which no thread runs.
 */
void watchdog_start(void);

/**
 * @brief Return why the board started, PNC_BOOT_. Call once, at the start.
 *
 * @param note Set to what is known about a fault or a hung thread before that start, for people; NULL: nothing.
 */
uint8_t supervision_boot_reason(const char **note);

/** @brief Return the PNC_CAPABILITY_ bits of resets. */
uint32_t supervision_capabilities(void);

/** @brief Request a reset, PNC_RESET_KIND_. Return false if the board cannot do it. From any thread. */
bool supervision_request_reset(uint8_t kind);

/** @brief Return true if a reset was requested. */
bool supervision_reset_requested(void);

/**
 * @brief Reset the board as requested; does not return. If the bootloader does not start, the firmware does. From the
 * main thread.
 */
void supervision_reset(void);

/** @brief Report that a thread makes progress. From that thread. */
void watchdog_feed(enum watchdog_thread thread);

/** @brief Record that a packet was transferred, for the traffic LED. From any thread. */
void leds_note_traffic(void);

/** @brief Switch the error LED on for what no host can be told: the serial port does not work. From any thread. */
void leds_show_error(void);

/** @brief Update all LEDs. From the main thread, about every 100 ms. */
void leds_update(int links_up);

#endif
