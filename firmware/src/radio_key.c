/* The board's own key pair. The stack makes it after its start, in a thread of low priority, and needs it for every
 * pairing. If that fails the stack tells nobody, and leaves each peer that pairs without an answer. */
#include <errno.h>

#include <zephyr/bluetooth/bluetooth.h>

/* A header of the stack itself: nothing public tells whether the key exists without waiting for it. */
#include <host/ecc.h>

#include "faults.h"
#include "radio_internal.h"

/* Twice what a pairing may take, which needs another key of the same effort. */
#define MOST_MS (2 * CONFIG_PNC_PAIRING_TIMEOUT_S * MSEC_PER_SEC)
#define WAIT_MS 3000 /* less than the watchdog's 5 s for the main thread */
#define LOOK_MS 10

static int64_t since_ms; /* the stack's start, or when it was last seen to have a key */
static bool failed;      /* it has made none since then */
static int failures;     /* starts in a row that have made none */

void radio_key_begins(void)
{
	since_ms = k_uptime_get();
	failed = false;
}

int radio_key_failures(void)
{
	if (bt_pub_key_get() != NULL) {
		radio_key_begins();
		failures = 0;
		fault_end(FAULT_KEY);
	} else if (!failed && k_uptime_get() - since_ms >= MOST_MS) {
		failed = true;
		failures++;
		fault_note(FAULT_KEY, -EADDRNOTAVAIL); /* what the stack returns where it needs the key */
	}
	return failed ? failures : 0;
}

bool radio_key_wait(void)
{
	for (int waited_ms = 0; bt_pub_key_get() == NULL; waited_ms += LOOK_MS) {
		if (waited_ms >= WAIT_MS) {
			return false;
		}
		k_msleep(LOOK_MS);
	}
	return true;
}
