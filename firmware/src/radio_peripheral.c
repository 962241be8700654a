/* The role of a camera board: a GATT peripheral with one service, for one central at a time. */
#include <zephyr/bluetooth/hci.h>

#include "faults.h"
#include "radio_internal.h"
#include "zephyr_compat.h"

/* In units of 625 us: 20 to 30 ms, so that a board is found quickly after a reset; 1 s when nobody has answered for a
 * while, which takes a fortieth of the energy. */
#define ADVERTISE_MIN 0x0020
#define ADVERTISE_MAX 0x0030
#define ADVERTISE_SLOW 0x0640
#define FAST_MS (CONFIG_PNC_FAST_ADVERTISING_S * MSEC_PER_SEC)

enum advertising {
	ADVERTISE_NOT,
	ADVERTISE_TO_KNOWN, /* to the boards on the accept list */
	ADVERTISE_TO_ALL
};

static enum advertising advertising;
static bool slow;
static int64_t since_ms; /* of that kind of advertising */
static atomic_t ended;   /* the stack has ended advertising */
static uint32_t listed;  /* security_known_version of the accept list */

static const struct bt_data advertisement[] = {
	BT_DATA_BYTES(BT_DATA_FLAGS, BT_LE_AD_GENERAL | BT_LE_AD_NO_BREDR),
	BT_DATA_BYTES(BT_DATA_UUID128_ALL, PNC_UUID_BYTES(PNC_SERVICE_UUID)),
};

static const struct bt_data scan_response[] = {
	BT_DATA(BT_DATA_NAME_COMPLETE, CONFIG_BT_DEVICE_NAME, sizeof(CONFIG_BT_DEVICE_NAME) - 1),
};

/* Record that the central subscribed or unsubscribed. It subscribes on every connection, even where the stack remembers
 * the subscription from the last one. */
static ssize_t on_subscribe(struct bt_conn *conn, const struct bt_gatt_attr *attr, uint16_t value)
{
	uint8_t peer = radio_link_of(conn);

	ARG_UNUSED(attr);
	if (peer < PNC_PEERS) {
		atomic_set_bit_to(radio_links[peer].flags, LINK_SUBSCRIBED, value == BT_GATT_CCC_NOTIFY);
		radio_notify();
	}
	return sizeof(value);
}

static ssize_t on_write(struct bt_conn *conn, const struct bt_gatt_attr *attr, const void *data, uint16_t len,
			uint16_t offset, uint8_t flags)
{
	uint8_t peer = radio_link_of(conn);

	ARG_UNUSED(attr);
	if (offset != 0 || (flags & BT_GATT_WRITE_FLAG_PREPARE) != 0) {
		return BT_GATT_ERR(BT_ATT_ERR_INVALID_OFFSET);
	}
	if (peer < PNC_PEERS && radio_role() == PNC_ROLE_CAMERA &&
	    !atomic_test_bit(radio_links[peer].flags, LINK_EXCLUDED)) {
		board_radio_rx(peer, data, len);
	}
	return len;
}

static pnc_ccc_data subscription = {.cfg_write = on_subscribe};

BT_GATT_SERVICE_DEFINE(service, BT_GATT_PRIMARY_SERVICE(PNC_UUID(PNC_SERVICE_UUID)),
		       BT_GATT_CHARACTERISTIC(PNC_UUID(PNC_TO_EDGE_UUID), BT_GATT_CHRC_NOTIFY,
					      BT_GATT_PERM_READ_ENCRYPT, NULL, NULL, NULL),
		       BT_GATT_CCC_MANAGED(&subscription, BT_GATT_PERM_READ_ENCRYPT | BT_GATT_PERM_WRITE_ENCRYPT),
		       BT_GATT_CHARACTERISTIC(PNC_UUID(PNC_TO_CAMERA_UUID), BT_GATT_CHRC_WRITE_WITHOUT_RESP,
					      BT_GATT_PERM_WRITE_ENCRYPT, NULL, on_write, NULL), );

#define TO_EDGE_VALUE (&service.attrs[2])

int radio_peripheral_send(struct bt_conn *conn, const uint8_t *packet, size_t len, bt_gatt_complete_func_t sent)
{
	struct bt_gatt_notify_params notification = {
		.attr = TO_EDGE_VALUE,
		.data = packet,
		.len = len,
		.func = sent,
	};

	return bt_gatt_notify_cb(conn, &notification);
}

/* An accept list that is being filled. */
struct list {
	int count; /* boards on it */
	int error; /* the last one, 0: none */
};

static void accept(const bt_addr_le_t *address, void *user)
{
	struct list *list = user;
	int error = bt_le_filter_accept_list_add(address);

	list->count += error == 0;
	list->error = error != 0 ? error : list->error;
}

/* Fill the accept list. Return the number of boards on it, or a negative error: one that is missing could not connect.
 */
static int fill_accept_list(void)
{
	struct list list = {.error = bt_le_filter_accept_list_clear()};

	if (list.error == 0) {
		security_each_known(accept, &list);
	}
	return list.error != 0 ? list.error : list.count;
}

void radio_peripheral_advertising_ended(void)
{
	atomic_set(&ended, 1);
}

/* Return true if the board needs no connection: no host sends pictures, and nobody is to pair. */
static bool asleep(void)
{
	return CONFIG_PNC_SLEEP_S > 0 && board_silent_ms() >= CONFIG_PNC_SLEEP_S * MSEC_PER_SEC &&
	       !security_pairing_open();
}

void radio_peripheral_process(void)
{
	static const uint32_t options[] = {
		[ADVERTISE_TO_KNOWN] = PNC_ADV_CONNECTABLE | BT_LE_ADV_OPT_FILTER_CONN,
		[ADVERTISE_TO_ALL] = PNC_ADV_CONNECTABLE,
	};
	enum advertising wanted = ADVERTISE_NOT;
	struct bt_conn *conn = radio_link_ref(0);
	bool slower;
	int result;

	if (atomic_clear(&ended) != 0) {
		advertising = ADVERTISE_NOT;
	}
	if (conn != NULL) {
		if (radio_role() == PNC_ROLE_CAMERA && asleep()) {
			radio_disconnect(conn, BT_HCI_ERR_REMOTE_POWER_OFF);
		}
		bt_conn_unref(conn);
		return;
	}
	if (radio_role() == PNC_ROLE_CAMERA && !asleep()) {
		wanted = security_pairing_open() ? ADVERTISE_TO_ALL : ADVERTISE_TO_KNOWN;
	}
	if (wanted != advertising || listed != security_known_version()) {
		since_ms = k_uptime_get();
	}
	slower = k_uptime_get() - since_ms >= FAST_MS;
	if (wanted == advertising && listed == security_known_version() && slower == slow) {
		return;
	}
	listed = security_known_version();
	slow = slower;
	result = bt_le_adv_stop();
	advertising = ADVERTISE_NOT; /* whatever fails is tried again, from here on */
	if (result == 0 && wanted == ADVERTISE_TO_KNOWN) {
		result = fill_accept_list();
		wanted = result == 0 ? ADVERTISE_NOT : wanted; /* nobody is known */
	}
	if (result < 0 || wanted == ADVERTISE_NOT) {
		fault_check_repeated(PNC_ERROR_CODE_ADVERTISE, result);
		return;
	}
	struct bt_le_adv_param parameters = BT_LE_ADV_PARAM_INIT(options[wanted], slow ? ADVERTISE_SLOW : ADVERTISE_MIN,
								 slow ? ADVERTISE_SLOW : ADVERTISE_MAX, NULL);

	result = bt_le_adv_start(&parameters, advertisement, ARRAY_SIZE(advertisement), scan_response,
				 ARRAY_SIZE(scan_response));
	if (fault_check_repeated(PNC_ERROR_CODE_ADVERTISE, result)) {
		advertising = wanted;
	}
}
