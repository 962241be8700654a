/* Watchdog, lamps, button, and why the board started. */
#ifndef PNC_CARE_H
#define PNC_CARE_H

#include <stdbool.h>
#include <stdint.h>

/* The threads that must make progress, or the watchdog bites. */
enum care_thread {
	CARE_MAIN,
	CARE_BOARD,  /* serial port and queue */
	CARE_SENDER, /* queue and radio */
	CARE_THREADS
};

/* Starts watchdog, lamps and button; from the main thread. */
void care_start(void);

/* Why the board started, PNC_BOOT_; once, at the start. */
uint8_t care_boot(void);

/* The host asked for a reset, PNC_RESET_KIND_; false if the board cannot start that. From any thread. */
bool care_ask_reset(uint8_t kind);

/* Resets the board if that was asked for; `before` is called first. From the main thread. */
void care_reset(void (*before)(void));

/* PNC_CAPABILITY_ bits. */
uint32_t care_capabilities(void);

/* That thread made progress; each at least once in CARE_LIMIT_MS. */
void care_alive(enum care_thread thread);

#define CARE_LIMIT_MS 5000

/* A packet went by. From any thread. */
void care_traffic(void);

/* Something is wrong that the board goes on without. From any thread. */
void care_error(void);

/* Shows the state on the lamps; from the main thread, every 100 ms or so. */
void care_show(int links_up);

#endif
