/* Failures of a simulated board, for tests. -fail=NAME lets the first calls of that function fail, -fail_times=N as
 * many of them (default 1), -fail_after=N after so many that succeed (default 0). The linker puts the functions below
 * before the real ones.
 *
 * -fail_how=wait lets bt_gatt_notify_cb wait until the connection has ended, as the stack does for its buffers;
 * -fail_how=drop lets it take a packet that never leaves. -cause=BIT is the cause of the reset that the chip tells
 * (hwinfo.h); without it that is power-on.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include <zephyr/bluetooth/bluetooth.h>
#include <zephyr/bluetooth/conn.h>
#include <zephyr/bluetooth/gatt.h>
#include <zephyr/drivers/hwinfo.h>
#include <zephyr/settings/settings.h>
#include <zephyr/storage/flash_map.h>
#include <zephyr/task_wdt/task_wdt.h>

#include <host/ecc.h>

#include "cmdline.h"
#include "soc.h"

#define WAIT_MS 10

static char *failing;
static char *how;
static int times, after; /* INT32_MAX: not given */

static bool fails(const char *name)
{
	if (failing == NULL || strcmp(failing, name) != 0 || times == 0) {
		return false;
	}
	if (after > 0 && after != INT32_MAX) {
		after--;
		return false;
	}
	times = times == INT32_MAX ? 0 : times - 1;
	return true;
}

/* A packet that the stack does not take, or takes and loses. */
static int not_taken(struct bt_conn *conn)
{
	struct bt_conn_info info;

	if (how == NULL) {
		return -ENOMEM;
	}
	if (strcmp(how, "drop") == 0) {
		return 0;
	}
	while (bt_conn_get_info(conn, &info) == 0 && info.state == BT_CONN_STATE_CONNECTED) {
		k_msleep(WAIT_MS);
	}
	return -ENOTCONN;
}

/* A peer that answers the request with an error. */
static int refused(struct bt_conn *conn, struct bt_gatt_exchange_params *parameters)
{
	parameters->func(conn, BT_ATT_ERR_NOT_SUPPORTED, parameters);
	return 0;
}

/* A function NAME that fails with `error` or calls the real one. */
#define WRAP(name, error, parameters, ...)                                                                             \
	int __real_##name parameters;                                                                                  \
	int __wrap_##name parameters;                                                                                  \
	int __wrap_##name parameters                                                                                   \
	{                                                                                                              \
		return fails(#name) ? (error) : __real_##name(__VA_ARGS__);                                            \
	}

WRAP(bt_enable, -EIO, (bt_ready_cb_t ready), ready)
WRAP(bt_disable, -EIO, (void))
WRAP(bt_conn_auth_cb_register, -EIO, (const struct bt_conn_auth_cb *callbacks), callbacks)
WRAP(bt_le_adv_start, -EIO,
     (const struct bt_le_adv_param *parameters, const struct bt_data *data, size_t data_len, const struct bt_data *scan,
      size_t scan_len),
     parameters, data, data_len, scan, scan_len)
WRAP(bt_le_scan_start, -EIO, (const struct bt_le_scan_param *parameters, bt_le_scan_cb_t callback), parameters,
     callback)
/* The stack forgets the callback also if it cannot stop. */
WRAP(bt_le_scan_stop, (__real_bt_le_scan_stop(), -EPERM), (void))
WRAP(bt_pub_key_gen, -EIO, (struct bt_pub_key_cb * callback), callback)
WRAP(bt_le_filter_accept_list_add, -EIO, (const bt_addr_le_t *address), address)
WRAP(bt_conn_le_create, -EIO,
     (const bt_addr_le_t *peer, const struct bt_conn_le_create_param *create, const struct bt_le_conn_param *parameters,
      struct bt_conn **conn),
     peer, create, parameters, conn)
WRAP(bt_gatt_discover, -EIO, (struct bt_conn * conn, struct bt_gatt_discover_params *parameters), conn, parameters)
WRAP(bt_gatt_subscribe, -EIO, (struct bt_conn * conn, struct bt_gatt_subscribe_params *parameters), conn, parameters)
WRAP(bt_conn_disconnect, -EIO, (struct bt_conn * conn, uint8_t reason), conn, reason)
WRAP(bt_conn_set_security, -EIO, (struct bt_conn * conn, bt_security_t level), conn, level)
WRAP(bt_conn_le_data_len_update, -EIO, (struct bt_conn * conn, const struct bt_conn_le_data_len_param *length), conn,
     length)
WRAP(bt_gatt_notify_cb, not_taken(conn), (struct bt_conn * conn, struct bt_gatt_notify_params *parameters), conn,
     parameters)
WRAP(bt_gatt_exchange_mtu, refused(conn, parameters),
     (struct bt_conn * conn, struct bt_gatt_exchange_params *parameters), conn, parameters)
WRAP(flash_area_read, -EIO, (const struct flash_area *area, off_t at, void *to, size_t len), area, at, to, len)
WRAP(settings_subsys_init, -EIO, (void))
WRAP(settings_save_one, -EIO, (const char *name, const void *value, size_t len), name, value, len)
WRAP(task_wdt_add, -ENOMEM, (uint32_t period, task_wdt_callback_t callback, void *user), period, callback, user)

static int cause;

/* The chip's register, which simulated boards have not. */
int __wrap_z_impl_hwinfo_get_reset_cause(uint32_t *reset_cause);
int __wrap_z_impl_hwinfo_get_reset_cause(uint32_t *reset_cause)
{
	*reset_cause = cause == INT32_MAX ? RESET_POR : BIT(cause);
	return 0;
}

int __wrap_z_impl_hwinfo_clear_reset_cause(void);
int __wrap_z_impl_hwinfo_clear_reset_cause(void)
{
	return 0;
}

static void fail_options(void)
{
	static struct args_struct_t options[] = {
		{.option = "fail",
		 .name = "function",
		 .type = 's',
		 .dest = &failing,
		 .descript = "lets its calls fail"},
		{.option = "fail_times", .name = "number", .type = 'i', .dest = &times, .descript = "how many of them"},
		{.option = "fail_after", .name = "number", .type = 'i', .dest = &after, .descript = "after so many"},
		{.option = "fail_how", .name = "wait_or_drop", .type = 's', .dest = &how, .descript = "otherwise"},
		{.option = "cause",
		 .name = "bit",
		 .type = 'i',
		 .dest = &cause,
		 .descript = "of the reset, told by the chip"},
		ARG_TABLE_ENDMARKER,
	};

	native_add_command_line_opts(options);
}

NATIVE_TASK(fail_options, PRE_BOOT_1, 22);
