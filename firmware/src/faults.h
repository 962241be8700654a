/**
 * @file
 * @brief Faults of the board: calls that failed. Counted here, shown by the error LED, and reported to the host by the
 * main thread as error packets. docs/firmware.md has the decision about each.
 */
#ifndef PNC_FAULTS_H
#define PNC_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

#include "pnc_wire.h"

#define FAULT_PATIENCE 10

/**
 * @brief Record that something failed. From any thread or interrupt.
 *
 * @param code PNC_FIRST_FAULT or a later code.
 * @param number Negative error number of Zephyr, or a positive number that the code explains.
 */
void fault_note(enum pnc_error_code code, int number);

/**
 * @brief Record that what failed before works again. From any thread or interrupt. Cheap if nothing had failed.
 */
void fault_end(enum pnc_error_code code);

/**
 * @brief Record the outcome of a call: fault_note if `result` is negative, fault_end otherwise.
 *
 * @return True if the call succeeded.
 */
bool fault_check(enum pnc_error_code code, int result);

/**
 * @brief As fault_check, for a call that is tried again: only FAULT_PATIENCE failures in a row are a fault. The stack
 *        refuses some calls for a moment, for example until a connection that has ended is cleaned up.
 */
bool fault_check_repeated(enum pnc_error_code code, int result);

/**
 * @brief Return true while any fault exists.
 */
bool fault_exists(void);

/**
 * @brief Call `report` for every fault that is new, has happened again or has ended. From the main thread.
 *
 * @param report Takes the code and the detail of the error packet; 0: it has ended.
 */
void faults_report(void (*report)(enum pnc_error_code code, uint32_t detail));

#endif
