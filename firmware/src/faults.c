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
static uint32_t existing;      /* bit n: the fault with code n exists */
static uint32_t unreported;    /* bit n: its report is due */
static uint16_t times[FAULTS]; /* since the start */
static uint16_t numbers[FAULTS];
static uint8_t in_a_row; /* failures of fault_check_repeated: a role has one such call. Main thread only */

BUILD_ASSERT(CODES <= 32);

void fault_note(enum pnc_error_code code, int number)
{
	k_spinlock_key_t key;

	LOG_WRN("fault %d: %d", (int)code, number);
	key = k_spin_lock(&lock);
	existing |= BIT(code);
	unreported |= BIT(code);
	times[AT(code)] += times[AT(code)] < UINT16_MAX;
	numbers[AT(code)] = abs(number) & NUMBER_MASK;
	k_spin_unlock(&lock, key);
}

void fault_end(enum pnc_error_code code)
{
	k_spinlock_key_t key = k_spin_lock(&lock);

	unreported |= existing & BIT(code);
	existing &= ~BIT(code);
	k_spin_unlock(&lock, key);
}

bool fault_check(enum pnc_error_code code, int result)
{
	if (result < 0) {
		fault_note(code, result);
		return false;
	}
	fault_end(code);
	return true;
}

bool fault_check_repeated(enum pnc_error_code code, int result)
{
	in_a_row = result < 0 ? MIN(in_a_row + 1, FAULT_PATIENCE) : 0;
	if (result < 0 && in_a_row < FAULT_PATIENCE) {
		return false;
	}
	return fault_check(code, result);
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
		bool due = (unreported & BIT(code)) != 0;
		bool exists = (existing & BIT(code)) != 0;
		uint32_t detail = exists ? (uint32_t)times[AT(code)] << TIMES_SHIFT | numbers[AT(code)] : 0;

		unreported &= ~BIT(code);
		k_spin_unlock(&lock, key);
		if (due) { /* outside the lock: the report waits for the core's mutex */
			report(code, detail);
		}
	}
}
