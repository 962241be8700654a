/* Failures of a simulated board, for tests. -fail=NAME lets the first calls of that function fail, -fail_times=N as
 * many of them (default 1). The linker puts the functions below before the real ones.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include <zephyr/bluetooth/bluetooth.h>
#include <zephyr/bluetooth/conn.h>
#include <zephyr/bluetooth/gatt.h>
#include <zephyr/settings/settings.h>
#include <zephyr/storage/flash_map.h>
#include <zephyr/task_wdt/task_wdt.h>

#include "cmdline.h"
#include "soc.h"

static char *failing;
static int times; /* INT32_MAX: not given */

static bool fails(const char *name)
{
	if (failing == NULL || strcmp(failing, name) != 0 || times == 0) {
		return false;
	}
	times = times == INT32_MAX ? 0 : times - 1;
	return true;
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
WRAP(bt_le_filter_accept_list_add, -EIO, (const bt_addr_le_t *address), address)
WRAP(bt_conn_le_create, -EIO,
     (const bt_addr_le_t *peer, const struct bt_conn_le_create_param *create, const struct bt_le_conn_param *parameters,
      struct bt_conn **conn),
     peer, create, parameters, conn)
WRAP(bt_gatt_discover, -EIO, (struct bt_conn * conn, struct bt_gatt_discover_params *parameters), conn, parameters)
WRAP(bt_gatt_subscribe, -EIO, (struct bt_conn * conn, struct bt_gatt_subscribe_params *parameters), conn, parameters)
WRAP(bt_gatt_notify_cb, -ENOMEM, (struct bt_conn * conn, struct bt_gatt_notify_params *parameters), conn, parameters)
WRAP(flash_area_read, -EIO, (const struct flash_area *area, off_t at, void *to, size_t len), area, at, to, len)
WRAP(settings_subsys_init, -EIO, (void))
WRAP(settings_save_one, -EIO, (const char *name, const void *value, size_t len), name, value, len)
WRAP(task_wdt_add, -ENOMEM, (uint32_t period, task_wdt_callback_t callback, void *user), period, callback, user)

static void fail_options(void)
{
	static struct args_struct_t options[] = {
		{.option = "fail",
		 .name = "function",
		 .type = 's',
		 .dest = &failing,
		 .descript = "lets its calls fail"},
		{.option = "fail_times", .name = "number", .type = 'i', .dest = &times, .descript = "how many of them"},
		ARG_TABLE_ENDMARKER,
	};

	native_add_command_line_opts(options);
}

NATIVE_TASK(fail_options, PRE_BOOT_1, 22);
