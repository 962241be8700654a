#include "care.h"

#include <zephyr/device.h>
#include <zephyr/drivers/gpio.h>
#include <zephyr/drivers/hwinfo.h>
#include <zephyr/kernel.h>
#include <zephyr/sys/reboot.h>
#include <zephyr/task_wdt/task_wdt.h>

#include "pnc_wire.h"
#include "radio.h"
#include "release.h"
#include "retain.h"

/* Retained by who resets the board, read by care_boot; the last byte is the reason. */
#define MARK 0x504E4300u
#define MARK_MASK 0xFFFFFF00u
#define NO_RESET -1

static int channels[CARE_THREADS] = {-1, -1, -1};
static atomic_t traffic;
static atomic_t error;
static atomic_t reset_asked = ATOMIC_INIT(NO_RESET);

#define LAMP(alias) GPIO_DT_SPEC_GET_OR(DT_ALIAS(alias), gpios, {0})

static const struct gpio_dt_spec connected_lamp = LAMP(led0);
static const struct gpio_dt_spec traffic_lamp = LAMP(led1);
static const struct gpio_dt_spec error_lamp = LAMP(led2);

#if defined(CONFIG_GPIO)
static const struct gpio_dt_spec button = GPIO_DT_SPEC_GET_OR(DT_ALIAS(sw0), gpios, {0});
static struct gpio_callback on_button;

static void pressed(const struct device *port, struct gpio_callback *callback, uint32_t pins)
{
	ARG_UNUSED(port);
	ARG_UNUSED(callback);
	ARG_UNUSED(pins);
	radio_open_pairing();
}

/* Pulls the reset pin: only then the bootloader of the nRF52840 dongle stays. */
static const struct gpio_dt_spec bootloader = GPIO_DT_SPEC_GET_OR(DT_PATH(zephyr_user), bootloader_gpios, {0});

static bool has_bootloader(void)
{
	return bootloader.port != NULL;
}

static void start_bootloader(void)
{
	(void)gpio_pin_configure_dt(&bootloader, GPIO_OUTPUT_ACTIVE);
}

static void start_gpio(void)
{
	const struct gpio_dt_spec *lamps[] = {&connected_lamp, &traffic_lamp, &error_lamp};

	for (size_t i = 0; i < ARRAY_SIZE(lamps); i++) {
		if (lamps[i]->port != NULL && device_is_ready(lamps[i]->port)) {
			(void)gpio_pin_configure_dt(lamps[i], GPIO_OUTPUT_INACTIVE);
		}
	}
	if (button.port != NULL && device_is_ready(button.port) && gpio_pin_configure_dt(&button, GPIO_INPUT) == 0) {
		gpio_init_callback(&on_button, pressed, BIT(button.pin));
		(void)gpio_add_callback(button.port, &on_button);
		(void)gpio_pin_interrupt_configure_dt(&button, GPIO_INT_EDGE_TO_ACTIVE);
	}
}

static void set_lamp(const struct gpio_dt_spec *lamp, bool on)
{
	if (lamp->port != NULL) {
		(void)gpio_pin_set_dt(lamp, on);
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

static void start_gpio(void)
{
}

static void set_lamp(const struct gpio_dt_spec *lamp, bool on)
{
	ARG_UNUSED(lamp);
	ARG_UNUSED(on);
}
#endif

static void bite(int channel, void *user)
{
	ARG_UNUSED(channel);
	ARG_UNUSED(user);
	retain_set(MARK | PNC_BOOT_WATCHDOG);
	sys_reboot(SYS_REBOOT_COLD);
}

void care_start(void)
{
#if defined(CONFIG_WATCHDOG) && DT_NODE_HAS_STATUS(DT_ALIAS(watchdog0), okay)
	const struct device *hardware = DEVICE_DT_GET(DT_ALIAS(watchdog0));
#else
	const struct device *hardware = NULL;
#endif
	start_gpio();
	if (task_wdt_init(hardware) != 0) {
		care_error();
		return;
	}
	for (int i = 0; i < CARE_THREADS; i++) {
		channels[i] = task_wdt_add(CARE_LIMIT_MS, bite, NULL);
	}
}

uint8_t care_boot(void)
{
	uint32_t mark = retain_take();
	uint32_t cause = 0;

#if defined(CONFIG_HWINFO)
	if (hwinfo_get_reset_cause(&cause) == 0) {
		(void)hwinfo_clear_reset_cause(); /* it collects the causes of all resets until then */
	}
#endif
	if ((mark & MARK_MASK) == MARK) {
		return mark & ~MARK_MASK;
	}
	if (cause & RESET_WATCHDOG) {
		return PNC_BOOT_WATCHDOG;
	}
	if (cause & RESET_SOFTWARE) {
		return PNC_BOOT_SOFTWARE;
	}
	return cause & RESET_PIN ? PNC_BOOT_PIN : PNC_BOOT_POWER;
}

bool care_ask_reset(uint8_t kind)
{
	if (kind == PNC_RESET_KIND_BOOTLOADER && !has_bootloader()) {
		return false;
	}
	atomic_set(&reset_asked, kind);
	radio_attend();
	return true;
}

void care_reset(void (*before)(void))
{
	atomic_val_t kind = atomic_get(&reset_asked);

	if (kind == NO_RESET) {
		return;
	}
	before();
	if (kind == PNC_RESET_KIND_BOOTLOADER) {
		start_bootloader();
	}
	retain_set(MARK | PNC_BOOT_SOFTWARE);
	sys_reboot(SYS_REBOOT_COLD);
}

uint32_t care_capabilities(void)
{
	return has_bootloader() ? PNC_CAPABILITY_BOOTLOADER : 0;
}

void care_alive(enum care_thread thread)
{
	if (channels[thread] >= 0) {
		(void)task_wdt_feed(channels[thread]);
	}
}

void care_traffic(void)
{
	atomic_set(&traffic, 1);
}

void care_error(void)
{
	atomic_set(&error, 1);
}

void care_show(int links_up)
{
	set_lamp(&connected_lamp, links_up > 0);
	set_lamp(&traffic_lamp, atomic_clear(&traffic) != 0);
	set_lamp(&error_lamp, atomic_get(&error) != 0);
}

#if !defined(CONFIG_ARCH_POSIX)
void k_sys_fatal_error_handler(unsigned int reason, const pnc_esf *esf)
{
	ARG_UNUSED(reason);
	ARG_UNUSED(esf);
	retain_set(MARK | PNC_BOOT_FAULT);
	sys_reboot(SYS_REBOOT_COLD);
}
#endif
