#include "supervision.h"

#include <zephyr/device.h>
#include <zephyr/drivers/gpio.h>
#include <zephyr/drivers/hwinfo.h>
#include <zephyr/kernel.h>
#if defined(CONFIG_RETENTION_BOOT_MODE)
#include <zephyr/retention/bootmode.h>
#endif
#include <zephyr/logging/log.h>
#include <zephyr/sys/reboot.h>
#include <zephyr/task_wdt/task_wdt.h>

#include "crash.h"
#include "faults.h"
#include "pnc_wire.h"
#include "retain.h"
#include "zephyr_compat.h"

LOG_MODULE_REGISTER(pnc_supervision, CONFIG_PNC_LOG_LEVEL);

#define NO_RESET -1

/* The pin reset takes effect within microseconds. The pin stays pulled for longer than any board needs. */
#define PIN_RESET_MS 100

/* The hardware watchdog runs for the minimum timeout and the delay. It may not be shorter than the channels, or a
 * thread that is still within its time could cause a reset. The delay covers a start after a reset by software, which
 * does not stop the watchdog of an nRF52. */
BUILD_ASSERT(!IS_ENABLED(CONFIG_TASK_WDT_HW_FALLBACK) || CONFIG_TASK_WDT_MIN_TIMEOUT >= WATCHDOG_TIMEOUT_MS);
BUILD_ASSERT(WATCHDOG_THREADS <= CONFIG_TASK_WDT_CHANNELS);

static int channels[WATCHDOG_THREADS] = {-1, -1, -1, -1, -1};
static const char *const thread_names[WATCHDOG_THREADS] = {
	[WATCHDOG_MAIN] = "main",     [WATCHDOG_BOARD] = "board", [WATCHDOG_SENDER] = "sender",
	[WATCHDOG_WORK] = "sysworkq", [WATCHDOG_RX] = "BT RX",
};
static atomic_t traffic;
static atomic_t error;
static atomic_t reset_requested = ATOMIC_INIT(NO_RESET);

#define LED(alias) GPIO_DT_SPEC_GET_OR(DT_ALIAS(alias), gpios, {0})

static const struct gpio_dt_spec connected_led = LED(led0);
static const struct gpio_dt_spec traffic_led = LED(led1);
static const struct gpio_dt_spec error_led = LED(led2);

#if defined(CONFIG_GPIO)
static const struct gpio_dt_spec button = GPIO_DT_SPEC_GET_OR(DT_ALIAS(sw0), gpios, {0});
static struct gpio_callback button_callback;
static void (*on_button)(void);

static void on_interrupt(const struct device *port, struct gpio_callback *callback, uint32_t pins)
{
	ARG_UNUSED(port);
	ARG_UNUSED(callback);
	ARG_UNUSED(pins);
	on_button();
}

static void start_gpio(void (*pressed)(void))
{
	const struct gpio_dt_spec *leds[] = {&connected_led, &traffic_led, &error_led};

	for (size_t i = 0; i < ARRAY_SIZE(leds); i++) {
		if (leds[i]->port != NULL &&
		    (!device_is_ready(leds[i]->port) || gpio_pin_configure_dt(leds[i], GPIO_OUTPUT_INACTIVE) != 0)) {
			LOG_WRN("LED %u is not to be had", (unsigned int)i);
		}
	}
	if (button.port != NULL && device_is_ready(button.port) && gpio_pin_configure_dt(&button, GPIO_INPUT) == 0) {
		on_button = pressed;
		gpio_init_callback(&button_callback, on_interrupt, BIT(button.pin));
		if (gpio_add_callback(button.port, &button_callback) != 0 ||
		    gpio_pin_interrupt_configure_dt(&button, GPIO_INT_EDGE_TO_ACTIVE) != 0) {
			LOG_WRN("the button is not to be had");
		}
	}
}

static void set_led(const struct gpio_dt_spec *led, bool on)
{
	if (led->port != NULL && gpio_pin_set_dt(led, on) != 0) {
		LOG_WRN("LED on pin %u does not switch", led->pin);
	}
}
#else
static void start_gpio(void (*pressed)(void))
{
	ARG_UNUSED(pressed);
}

static void set_led(const struct gpio_dt_spec *led, bool on)
{
	ARG_UNUSED(led);
	ARG_UNUSED(on);
}
#endif

#if defined(CONFIG_RETENTION_BOOT_MODE)
static bool has_bootloader(void)
{
	return true;
}

/* MCUboot reads the mode after the reset that follows. */
static void start_bootloader(void)
{
	if (bootmode_set(BOOT_MODE_TYPE_BOOTLOADER) != 0) {
		LOG_ERR("no request for MCUboot: the firmware starts again");
	}
}
#elif defined(CONFIG_GPIO)
/* Wired to the reset pin. The bootloader of the nRF52840 dongle stays active only after a reset by that pin. */
static const struct gpio_dt_spec bootloader = GPIO_DT_SPEC_GET_OR(DT_PATH(zephyr_user), bootloader_gpios, {0});

static bool has_bootloader(void)
{
	return bootloader.port != NULL;
}

/* Pull the reset pin. Returns only if that did not reset the board. */
static void start_bootloader(void)
{
	if (gpio_pin_configure_dt(&bootloader, GPIO_OUTPUT_ACTIVE) == 0) {
		k_msleep(PIN_RESET_MS);
		LOG_ERR("the reset pin did not reset the board");
		if (gpio_pin_configure_dt(&bootloader, GPIO_DISCONNECTED) != 0) {
			LOG_ERR("the reset pin stays pulled");
		}
	}
}
#else
static bool has_bootloader(void)
{
	return false;
}

static void start_bootloader(void)
{
}
#endif

static void on_watchdog_timeout(int channel, void *user)
{
	ARG_UNUSED(channel);
	crash_by_watchdog(user);
	sys_reboot(SYS_REBOOT_COLD);
}

/* Runs in the system work queue, each time the main thread feeds its watchdog. */
static void on_beat(struct k_work *work)
{
	ARG_UNUSED(work);
	watchdog_feed(WATCHDOG_WORK);
}

static K_WORK_DEFINE(beat, on_beat);

void supervision_start(void (*on_button_pressed)(void))
{
	start_gpio(on_button_pressed);
}

void watchdog_start(void)
{
	int error;
#if defined(CONFIG_WATCHDOG) && DT_NODE_HAS_STATUS(DT_ALIAS(watchdog0), okay)
	const struct device *hardware = DEVICE_DT_GET(DT_ALIAS(watchdog0));
#else
	const struct device *hardware = NULL;
#endif
	error = task_wdt_init(hardware);
	if (error != 0 && hardware != NULL) {
		fault_note(PNC_ERROR_CODE_WATCHDOG, error);
		error = task_wdt_init(NULL); /* the threads can be watched without it */
	}
	if (error != 0) {
		fault_note(PNC_ERROR_CODE_WATCHDOG, error);
		return;
	}
	for (int i = 0; i < WATCHDOG_THREADS; i++) {
		channels[i] = task_wdt_add(WATCHDOG_TIMEOUT_MS, on_watchdog_timeout, (void *)thread_names[i]);
		if (channels[i] < 0) {
			fault_note(PNC_ERROR_CODE_WATCHDOG, channels[i]);
		}
	}
}

uint8_t supervision_boot_reason(const char **note)
{
	struct retain_record retained;
	bool known = retain_take(&retained);
	uint32_t cause = 0;

#if defined(CONFIG_HWINFO)
	/* The register accumulates causes until it is cleared. */
	if (hwinfo_get_reset_cause(&cause) != 0 || hwinfo_clear_reset_cause() != 0) {
		LOG_WRN("the cause of the reset cannot be read and cleared");
	}
#endif
	*note = known ? crash_text(&retained) : NULL;
	if (known) {
		return retained.boot;
	}
	if (cause & RESET_CPU_LOCKUP) { /* a fault in the handler of faults, so nothing was retained */
		*note = "fault: the processor locked up";
		return PNC_BOOT_FAULT;
	}
	if (cause & RESET_WATCHDOG) {
		return PNC_BOOT_WATCHDOG;
	}
	if (cause & RESET_SOFTWARE) {
		return PNC_BOOT_SOFTWARE;
	}
	return cause & RESET_PIN ? PNC_BOOT_PIN : PNC_BOOT_POWER;
}

bool supervision_request_reset(uint8_t kind)
{
	if (kind == PNC_RESET_KIND_BOOTLOADER && !has_bootloader()) {
		return false;
	}
	atomic_set(&reset_requested, kind);
	return true;
}

bool supervision_reset_requested(void)
{
	return atomic_get(&reset_requested) != NO_RESET;
}

void supervision_reset(void)
{
	const struct retain_record record = {.boot = PNC_BOOT_SOFTWARE};

	retain_set(&record);
	if (atomic_get(&reset_requested) == PNC_RESET_KIND_BOOTLOADER) {
		start_bootloader();
	}
	sys_reboot(SYS_REBOOT_COLD);
}

uint32_t supervision_capabilities(void)
{
	return has_bootloader() ? PNC_CAPABILITY_BOOTLOADER : 0;
}

void watchdog_feed(enum watchdog_thread thread)
{
	if (channels[thread] >= 0 && task_wdt_feed(channels[thread]) != 0) {
		LOG_ERR("the watchdog of thread %s is not fed", thread_names[thread]);
	}
	if (thread == WATCHDOG_MAIN) {
		k_work_submit(&beat);
	}
}

void leds_note_traffic(void)
{
	atomic_set(&traffic, 1);
}

void leds_show_error(void)
{
	atomic_set(&error, 1);
}

void leds_update(int links_up)
{
	set_led(&connected_led, links_up > 0);
	set_led(&traffic_led, atomic_clear(&traffic) != 0);
	set_led(&error_led, atomic_get(&error) != 0 || fault_exists());
}
