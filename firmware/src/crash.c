#include "crash.h"

#include <string.h>

#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>
#include <zephyr/logging/log_ctrl.h>
#include <zephyr/sys/printk.h>
#include <zephyr/sys/reboot.h>

#include "pnc_wire.h"
#include "zephyr_compat.h"

LOG_MODULE_REGISTER(pnc_crash, CONFIG_PNC_LOG_LEVEL);

#define TEXT_BYTES 96
/* The lower bits of xPSR are the number of the exception that is being handled. */
#define EXCEPTION_MASK 0x1FFu

static void name_thread(struct retain_record *record, const char *name)
{
	if (name != NULL) {
		strncpy(record->thread, name, sizeof(record->thread) - 1);
	}
}

void crash_by_watchdog(const char *thread)
{
	struct retain_record record = {.boot = PNC_BOOT_WATCHDOG};

	LOG_ERR("thread %s did not feed the watchdog", thread);
	LOG_PANIC();
	name_thread(&record, thread);
	retain_set(&record);
}

static const char *reason_text(uint8_t reason)
{
	switch (reason) {
	case K_ERR_CPU_EXCEPTION:
		return "CPU exception";
	case K_ERR_SPURIOUS_IRQ:
		return "unexpected interrupt";
	case K_ERR_STACK_CHK_FAIL:
		return "stack overflow";
	case K_ERR_KERNEL_OOPS:
		return "kernel oops";
	case K_ERR_KERNEL_PANIC:
		return "kernel panic";
	default: /* of the architecture, from Zephyr 3.5 on */
		return "CPU exception";
	}
}

const char *crash_text(const struct retain_record *record)
{
	static char text[TEXT_BYTES];
	const char *thread = record->thread[0] != '\0' ? record->thread : "?";

	if (record->boot == PNC_BOOT_WATCHDOG) {
		snprintk(text, sizeof(text), "watchdog: thread %s hung", thread);
	} else if (record->boot == PNC_BOOT_FAULT) {
		snprintk(text, sizeof(text), "fault: %s (%u) in thread %s, exception %u, pc 0x%08x, lr 0x%08x",
			 reason_text(record->reason), record->reason, thread, record->exception,
			 (unsigned int)record->pc, (unsigned int)record->lr);
	} else {
		return NULL;
	}
	return text;
}

#if !defined(CONFIG_ARCH_POSIX)
void k_sys_fatal_error_handler(unsigned int reason, const pnc_esf *esf)
{
	struct retain_record record = {.boot = PNC_BOOT_FAULT, .reason = (uint8_t)reason};

#if defined(CONFIG_ARM)
	if (esf != NULL) {
		record.pc = esf->basic.pc;
		record.lr = esf->basic.lr;
		record.exception = esf->basic.xpsr & EXCEPTION_MASK;
	}
#endif
	name_thread(&record, k_thread_name_get(k_current_get()));
	LOG_ERR("fault %u in thread %s, pc 0x%08x", reason, record.thread, (unsigned int)record.pc);
	LOG_PANIC();
	retain_set(&record);
	sys_reboot(SYS_REBOOT_COLD);
}
#endif
