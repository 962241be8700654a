/**
 * @file
 * @brief The record of a fault or of a thread that stopped: made when it happens, told to the host after the next
 * start.
 */
#ifndef PNC_CRASH_H
#define PNC_CRASH_H

#include <stdint.h>

#include "retain.h"

/**
 * @brief Retain that a thread did not feed the watchdog. From any thread or interrupt, just before the reset.
 */
void crash_by_watchdog(const char *thread);

/**
 * @brief Write what the record says, for people, into a buffer that lasts.
 *
 * @return NULL if it says no more than the cause of the reset.
 */
const char *crash_text(const struct retain_record *record);

#endif
