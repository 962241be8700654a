/* A board that pairs like any other, then sends packets of every illegal kind, and then raw PDUs. It attacks an edge
 * board as a peripheral or, with -central, a camera. It prints what it has sent and sends nothing more.
 *
 * With -silent it connects to a camera with the longest timeout that Bluetooth allows and disappears without
 * disconnecting. */
#include "cmdline.h"
#include "soc.h"

#include <zephyr/bluetooth/bluetooth.h>
#include <zephyr/bluetooth/conn.h>
#include <zephyr/bluetooth/gatt.h>
#include <zephyr/kernel.h>
#include <zephyr/sys/reboot.h>

#include "host/conn_internal.h"
#include "host/l2cap_internal.h"
#include "packets.h"
#include "pnc_wire.h"
#include "zephyr_compat.h"

#define UUID_BYTES(...) BT_UUID_128_ENCODE(__VA_ARGS__)
#define UUID(...) BT_UUID_DECLARE_128(UUID_BYTES(__VA_ARGS__))
#define SETTLE_MS 300
#define PARAMETERS BT_LE_ADV_PARAM(PNC_ADV_CONNECTABLE, BT_GAP_ADV_FAST_INT_MIN_2, BT_GAP_ADV_FAST_INT_MAX_2, NULL)

#define LONGEST_TIMEOUT 3200 /* in units of 10 ms */

static bool central, silent;
static struct bt_conn *current;
static uint16_t to_camera;
static K_SEM_DEFINE(connected, 0, 1);
static K_SEM_DEFINE(secure, 0, 1);
static K_SEM_DEFINE(ready, 0, 1);

static const struct bt_data advertisement[] = {
	BT_DATA_BYTES(BT_DATA_FLAGS, BT_LE_AD_GENERAL | BT_LE_AD_NO_BREDR),
	BT_DATA_BYTES(BT_DATA_UUID128_ALL, UUID_BYTES(PNC_SERVICE_UUID)),
};

static void on_subscribe(const struct bt_gatt_attr *attr, uint16_t value)
{
	ARG_UNUSED(attr);
	if (value == BT_GATT_CCC_NOTIFY) {
		k_sem_give(&ready);
	}
}

static ssize_t on_write(struct bt_conn *conn, const struct bt_gatt_attr *attr, const void *data, uint16_t len,
			uint16_t offset, uint8_t flags)
{
	return len;
}

BT_GATT_SERVICE_DEFINE(service, BT_GATT_PRIMARY_SERVICE(UUID(PNC_SERVICE_UUID)),
		       BT_GATT_CHARACTERISTIC(UUID(PNC_TO_EDGE_UUID), BT_GATT_CHRC_NOTIFY, BT_GATT_PERM_READ, NULL,
					      NULL, NULL),
		       BT_GATT_CCC(on_subscribe, BT_GATT_PERM_READ | BT_GATT_PERM_WRITE),
		       BT_GATT_CHARACTERISTIC(UUID(PNC_TO_CAMERA_UUID), BT_GATT_CHRC_WRITE_WITHOUT_RESP,
					      BT_GATT_PERM_WRITE, NULL, on_write, NULL), );

static void on_connected(struct bt_conn *conn, uint8_t error)
{
	if (error == 0) {
		current = bt_conn_ref(conn);
		k_sem_give(&connected);
	}
}

static void on_disconnected(struct bt_conn *conn, uint8_t reason)
{
	printk("disconnected %u\n", reason);
	bt_conn_unref(conn);
	current = NULL;
}

static void on_security(struct bt_conn *conn, bt_security_t level, enum bt_security_err error)
{
	if (error == 0 && level >= BT_SECURITY_L2) {
		k_sem_give(&secure);
	}
}

BT_CONN_CB_DEFINE(callbacks) = {
	.connected = on_connected,
	.disconnected = on_disconnected,
	.security_changed = on_security,
};

static void on_advertisement(const bt_addr_le_t *address, int8_t rssi, uint8_t type, struct net_buf_simple *data)
{
	struct bt_le_conn_param parameters = BT_LE_CONN_PARAM_INIT(6, 6, 0, silent ? LONGEST_TIMEOUT : 400);
	struct bt_conn *conn = NULL;

	if (type == BT_GAP_ADV_TYPE_ADV_IND && bt_le_scan_stop() == 0 &&
	    bt_conn_le_create(address, BT_CONN_LE_CREATE_CONN, &parameters, &conn) == 0) {
		bt_conn_unref(conn);
	}
}

static uint8_t on_notification(struct bt_conn *conn, struct bt_gatt_subscribe_params *subscription, const void *data,
			       uint16_t len)
{
	return data != NULL ? BT_GATT_ITER_CONTINUE : BT_GATT_ITER_STOP;
}

static void on_subscribed(struct bt_conn *conn, uint8_t error, struct bt_gatt_subscribe_params *subscription)
{
	k_sem_give(&ready);
}

static struct bt_gatt_subscribe_params subscription = {
	.notify = on_notification,
	.subscribe = on_subscribed,
	.value = BT_GATT_CCC_NOTIFY,
};

static uint8_t on_attribute(struct bt_conn *conn, const struct bt_gatt_attr *attr,
			    struct bt_gatt_discover_params *discovery)
{
	if (attr == NULL) {
		(void)bt_gatt_subscribe(conn, &subscription);
		return BT_GATT_ITER_STOP;
	}
	if (bt_uuid_cmp(attr->uuid, UUID(PNC_TO_CAMERA_UUID)) == 0) {
		to_camera = attr->handle;
	} else if (bt_uuid_cmp(attr->uuid, UUID(PNC_TO_EDGE_UUID)) == 0) {
		subscription.value_handle = attr->handle;
	} else if (bt_uuid_cmp(attr->uuid, BT_UUID_GATT_CCC) == 0 && subscription.value_handle != 0 &&
		   subscription.ccc_handle == 0) {
		subscription.ccc_handle = attr->handle;
	}
	return BT_GATT_ITER_CONTINUE;
}

static void on_mtu(struct bt_conn *conn, uint8_t error, struct bt_gatt_exchange_params *exchange)
{
	k_sem_give(&ready);
}

static void wait(struct k_sem *semaphore)
{
	(void)k_sem_take(semaphore, K_FOREVER);
}

static void prepare(void)
{
	static struct bt_gatt_exchange_params exchange = {.func = on_mtu};
	static struct bt_gatt_discover_params discovery = {
		.func = on_attribute,
		.start_handle = BT_ATT_FIRST_ATTRIBUTE_HANDLE,
		.end_handle = BT_ATT_LAST_ATTRIBUTE_HANDLE,
		.type = BT_GATT_DISCOVER_ATTRIBUTE,
	};

	if (central || silent) {
		(void)bt_le_scan_start(BT_LE_SCAN_PASSIVE, on_advertisement);
	} else {
		(void)bt_le_adv_start(PARAMETERS, advertisement, ARRAY_SIZE(advertisement), NULL, 0);
	}
	wait(&connected);
	if (silent) {
		k_msleep(SETTLE_MS);
		printk("leaves\n");
		sys_reboot(SYS_REBOOT_COLD); /* leaves the simulation */
	}
	if (central) {
		(void)bt_conn_set_security(current, BT_SECURITY_L2);
	}
	wait(&secure);
	if (central) {
		if (bt_gatt_exchange_mtu(current, &exchange) == 0) {
			wait(&ready);
		}
		(void)bt_gatt_discover(current, &discovery);
	}
	wait(&ready);
	k_msleep(SETTLE_MS); /* MTU, data length */
}

static int send(const uint8_t *packet, size_t len)
{
	if (central) {
		return bt_gatt_write_without_response(current, to_camera, packet, len, false);
	}
	return bt_gatt_notify(current, &service.attrs[2], packet, len);
}

static int send_packets(void)
{
	uint8_t packet[PNC_MAX_PACKET];
	int sent = 0;

	for (int number = 0; number < PACKETS; number++) {
		size_t len = packets_write(number, packet);

		while (current != NULL && send(packet, len) == -ENOMEM) {
			k_msleep(1);
		}
		sent += current != NULL;
	}
	return sent;
}

#if KERNEL_VERSION_NUMBER < ZEPHYR_VERSION(3, 7, 0)
static int send_pdu(uint16_t channel, struct net_buf *pdu)
{
	return bt_l2cap_send(current, channel, pdu);
}
#else
static int send_pdu(uint16_t channel, struct net_buf *pdu)
{
	struct bt_l2cap_chan *to = bt_l2cap_le_lookup_tx_cid(current, channel);

	return to != NULL ? bt_l2cap_send_pdu(BT_L2CAP_LE_CHAN(to), pdu, NULL, NULL) : -ENOTCONN;
}
#endif

/* Send raw PDUs, which the stack of the remote board must withstand. */
static int send_raw(void)
{
	uint8_t payload[400];
	uint16_t channel;
	int sent = 0;

	for (int number = 0; number < RAW && current != NULL; number++) {
		size_t len = raw_write(number, payload, &channel);
		struct net_buf *pdu = bt_l2cap_create_pdu(NULL, 0);

		net_buf_add_mem(pdu, payload, len);
		if (send_pdu(channel, pdu) != 0) {
			net_buf_unref(pdu);
		}
		sent++;
		k_msleep(2);
	}
	return sent;
}

static void rogue_options(void)
{
	static struct args_struct_t options[] = {
		{.option = "central", .type = 'b', .dest = &central, .descript = "attack a camera"},
		{.option = "silent", .type = 'b', .dest = &silent, .descript = "hold a camera's connection"},
		ARG_TABLE_ENDMARKER,
	};

	options[0].is_switch = true;
	options[1].is_switch = true;
	native_add_command_line_opts(options);
}

NATIVE_TASK(rogue_options, PRE_BOOT_1, 20);

int main(void)
{
	int sent;

	(void)bt_enable(NULL);
	prepare();
	printk("paired\n");
	sent = send_packets();
	k_msleep(SETTLE_MS); /* the last packets may still be in the stack */
	printk("sent %d packets\n", sent);
	k_msleep(SETTLE_MS);
	sent = send_raw();
	k_msleep(SETTLE_MS);
	printk("sent %d raw\n", sent);
	if (current != NULL) {
		(void)bt_conn_disconnect(current, BT_HCI_ERR_REMOTE_USER_TERM_CONN);
	}
	return 0;
}
