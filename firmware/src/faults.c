#include "faults.h"

#include <stdlib.h>

#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>

LOG_MODULE_REGISTER(pnc_faults, CONFIG_PNC_LOG_LEVEL);

#define CODES (PNC_ERROR_CODE_BONDS_FULL + 1)
#define FAULTS (CODES - PNC_FIRST_FAULT)
#define AT(code) ((code)-PNC_FIRST_FAULT)
#define NUMBER_MASK 0xFFFFu
#define TIMES_SHIFT 16u

static struct k_spinlock lock; /* of all below */
static uint32_t existing;      /* bit n: the fault n, a code or a cause, exists */
static uint32_t noted;         /* bit n: the report that the fault with code n exists is due */
static uint32_t ended;         /* bit n: the report of its end is due */
static uint16_t times[FAULTS]; /* since the start */
static uint16_t numbers[FAULTS];
static uint8_t in_a_row[FAULT_CAUSES_END]; /* failures of fault_check_repeated */

BUILD_ASSERT(FAULT_CAUSES_END <= 32);

/* The codes under which causes are reported. */
static const uint8_t code_of_cause[FAULT_CAUSES_END - CODES] = {
	[FAULT_CONNECT - CODES] = PNC_ERROR_CODE_SCAN,          [FAULT_DISCONNECT - CODES] = PNC_ERROR_CODE_BLUETOOTH,
	[FAULT_POWER - CODES] = PNC_ERROR_CODE_BLUETOOTH,       [FAULT_MTU - CODES] = PNC_ERROR_CODE_BLUETOOTH,
	[FAULT_REQUEST - CODES] = PNC_ERROR_CODE_BLUETOOTH,     [FAULT_ENCRYPT - CODES] = PNC_ERROR_CODE_BLUETOOTH,
	[FAULT_OUT_OF_BAND - CODES] = PNC_ERROR_CODE_BLUETOOTH, [FAULT_KEY - CODES] = PNC_ERROR_CODE_BLUETOOTH,
};

static uint8_t code_of(int fault)
{
	return fault < CODES ? fault : code_of_cause[fault - CODES];
}

/* Return true if a fault with that code exists, whatever its cause. Under the lock. */
static bool code_exists(uint8_t code)
{
	for (int fault = PNC_FIRST_FAULT; fault < FAULT_CAUSES_END; fault++) {
		if ((existing & BIT(fault)) != 0 && code_of(fault) == code) {
			return true;
		}
	}
	return false;
}

void fault_note(int fault, int number)
{
	uint8_t code = code_of(fault);
	k_spinlock_key_t key;

	LOG_WRN("fault %d: %d", fault, number);
	key = k_spin_lock(&lock);
	existing |= BIT(fault);
	noted |= BIT(code);
	ended &= ~BIT(code);
	times[AT(code)] += times[AT(code)] < UINT16_MAX;
	numbers[AT(code)] = abs(number) & NUMBER_MASK;
	k_spin_unlock(&lock, key);
}

void fault_end(int fault)
{
	uint8_t code = code_of(fault);
	k_spinlock_key_t key = k_spin_lock(&lock);

	if ((existing & BIT(fault)) != 0) {
		existing &= ~BIT(fault);
		ended |= code_exists(code) ? 0 : BIT(code);
	}
	k_spin_unlock(&lock, key);
}

bool fault_check(int fault, int result)
{
	if (result < 0) {
		fault_note(fault, result);
		return false;
	}
	fault_end(fault);
	return true;
}

bool fault_check_repeated(int fault, int result)
{
	k_spinlock_key_t key = k_spin_lock(&lock);
	bool patient;

	in_a_row[fault] = result < 0 ? MIN(in_a_row[fault] + 1, FAULT_PATIENCE) : 0;
	patient = result < 0 && in_a_row[fault] < FAULT_PATIENCE;
	k_spin_unlock(&lock, key);
	return !patient && fault_check(fault, result);
}

bool fault_exists(void)
{
	k_spinlock_key_t key = k_spin_lock(&lock);
	bool exists = existing != 0;

	k_spin_unlock(&lock, key);
	return exists;
}

void faults_report(void (*report)(enum pnc_error_code code, uint32_t detail))
{
	for (uint8_t code = PNC_FIRST_FAULT; code < CODES; code++) {
		k_spinlock_key_t key = k_spin_lock(&lock);
		bool note_due = (noted & BIT(code)) != 0;
		bool end_due = (ended & BIT(code)) != 0;
		uint32_t detail = (uint32_t)times[AT(code)] << TIMES_SHIFT | numbers[AT(code)];

		if (note_due) { /* the end of a short fault waits for the next call, or the core would forget both */
			noted &= ~BIT(code);
		} else {
			ended &= ~BIT(code);
		}
		k_spin_unlock(&lock, key);
		if (note_due || end_due) { /* outside the lock: the report waits for the core's mutex */
			report(code, note_due ? detail : 0);
		}
	}
}
