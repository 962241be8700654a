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
 * Faults that the host gets under the code of another one, because it would do the same about them. Each begins and
 * ends by itself. All other faults are error codes, from PNC_FIRST_FAULT on.
 */
enum fault_cause {
	FAULT_CONNECT = PNC_ERROR_CODE_BONDS_FULL + 1, /**< PNC_ERROR_CODE_SCAN: an attempt to connect */
	FAULT_DISCONNECT,                              /**< PNC_ERROR_CODE_BLUETOOTH: the end of a connection */
	FAULT_POWER,                                   /**< the same: the transmit power of a connection */
	FAULT_MTU,                                     /**< the same: the MTU of a connection */
	FAULT_REQUEST,                                 /**< the same: a request of MTU, PHY, length or interval */
	FAULT_ENCRYPT,                                 /**< the same: the encryption of a connection */
	FAULT_OUT_OF_BAND,                             /**< the same: the values for pairing out of band */
	FAULT_KEY,                                     /**< the same: the stack has made no key for pairing */
	FAULT_CAUSES_END
};

/**
 * @brief Record that something failed. From any thread or interrupt.
 *
 * @param fault An error code, PNC_FIRST_FAULT or later, or a fault_cause.
 * @param number Negative error number of Zephyr, or a positive number that the code explains.
 */
void fault_note(int fault, int number);

/**
 * @brief Record that what failed before works again. From any thread or interrupt. Cheap if nothing had failed.
 */
void fault_end(int fault);

/**
 * @brief Record the outcome of a call: fault_note if `result` is negative, fault_end otherwise.
 *
 * @return True if the call succeeded.
 */
bool fault_check(int fault, int result);

/**
 * @brief As fault_check, for a call that is tried again: only FAULT_PATIENCE failures in a row are a fault. The stack
 *        refuses some calls for a moment, for example until a connection that has ended is cleaned up.
 */
bool fault_check_repeated(int fault, int result);

/**
 * @brief Return true while any fault exists.
 */
bool fault_exists(void);

/**
 * @brief Call `report` for every code whose fault is new, has happened again or has ended: the end of
 * one that has begun since the last call only at the next one. From the main thread, again and again.
 *
 * @param report Takes the code and the detail of the error packet; 0: it has ended.
 */
void faults_report(void (*report)(enum pnc_error_code code, uint32_t detail));

#endif
