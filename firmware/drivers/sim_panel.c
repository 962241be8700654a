/* LEDs and button of a simulated board, for tests. Prints each change of an LED. -press=S presses the button S seconds
 * after the start. -stall=S suspends a thread at that time, to have the effect of an endless loop: the sender, or the
 * one that -thread names; -resume=S lets it go on. SPDX-License-Identifier: Apache-2.0 */
#include "cmdline.h"
#include "soc.h"

#include <string.h>

#include <zephyr/drivers/gpio.h>
#include <zephyr/drivers/gpio/gpio_emul.h>
#include <zephyr/kernel.h>

#define LOOK_MS 10
#define PRESSED_MS 100
#define STACK_BYTES 1024
#define PRIORITY 1

static const struct gpio_dt_spec leds[] = {
	GPIO_DT_SPEC_GET(DT_ALIAS(led0), gpios),
	GPIO_DT_SPEC_GET(DT_ALIAS(led1), gpios),
	GPIO_DT_SPEC_GET(DT_ALIAS(led2), gpios),
};
static const struct gpio_dt_spec button = GPIO_DT_SPEC_GET(DT_ALIAS(sw0), gpios);
static double press_s = -1;
static double stall_s = -1;
static double resume_s = -1;
static char *stalled; /* NULL: the sender */

/* Suspend or resume a thread, if it is the one. */
static void stall(const struct k_thread *thread, void *resume)
{
	k_tid_t found = (k_tid_t)thread;
	const char *name = k_thread_name_get(found);

	if (name == NULL || strcmp(name, stalled != NULL ? stalled : "sender") != 0) {
		return;
	}
	if (resume != NULL) {
		k_thread_resume(found);
	} else {
		k_thread_suspend(found);
	}
}

static void show_leds(int64_t now_ms)
{
	static int shown[ARRAY_SIZE(leds)];

	for (size_t i = 0; i < ARRAY_SIZE(leds); i++) {
		int is = gpio_emul_output_get(leds[i].port, leds[i].pin);

		if (is >= 0 && is != shown[i]) {
			shown[i] = is;
			printk("LED %u %s at %lld ms\n", (unsigned int)i, is != 0 ? "on" : "off", (long long)now_ms);
		}
	}
}

static void run(void *a, void *b, void *c)
{
	int64_t press_ms = press_s * MSEC_PER_SEC;
	int64_t stall_ms = stall_s * MSEC_PER_SEC;
	int64_t resume_ms =
		resume_s >= 0 ? (int64_t)(resume_s * MSEC_PER_SEC) : INT64_MAX; /* not given: not a number */

	ARG_UNUSED(a);
	ARG_UNUSED(b);
	ARG_UNUSED(c);
	for (;;) {
		int64_t now_ms = k_uptime_get();

		show_leds(now_ms);
		if (press_s >= 0) {
			(void)gpio_emul_input_set(button.port, button.pin,
						  now_ms >= press_ms && now_ms < press_ms + PRESSED_MS);
		}
		if (stall_s >= 0 && now_ms >= stall_ms) {
			k_thread_foreach(stall, now_ms >= resume_ms ? &resume_ms : NULL);
		}
		k_msleep(LOOK_MS);
	}
}

static void panel_options(void)
{
	static struct args_struct_t options[] = {
		{.option = "press", .name = "seconds", .type = 'd', .dest = &press_s, .descript = "presses the button"},
		{.option = "stall", .name = "seconds", .type = 'd', .dest = &stall_s, .descript = "stops a thread"},
		{.option = "resume",
		 .name = "seconds",
		 .type = 'd',
		 .dest = &resume_s,
		 .descript = "lets that thread go on"},
		{.option = "thread",
		 .name = "name",
		 .type = 's',
		 .dest = &stalled,
		 .descript = "which thread it stops"},
		ARG_TABLE_ENDMARKER,
	};

	native_add_command_line_opts(options);
}

NATIVE_TASK(panel_options, PRE_BOOT_1, 21);

K_THREAD_DEFINE(panel, STACK_BYTES, run, NULL, NULL, NULL, PRIORITY, 0, 0);
