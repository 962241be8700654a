/* The role of an edge board: a GATT central that looks for cameras and subscribes to them. */
#include <errno.h>
#include <string.h>

#include <zephyr/bluetooth/hci.h>

#include "faults.h"
#include "radio_internal.h"
#include "zephyr_compat.h"

/* In units of 625 us. Without connections the scan takes all the time, beside connections only a part. Connection
 * intervals are multiples of 1.25 ms, so an odd number of units never stays in step with them. Otherwise seven
 * connections could hide the advertising of another camera forever. */
#define SCAN_INTERVAL 0x0060
#define SCAN_INTERVAL_BESIDE 0x010B
#define SCAN_WINDOW_BESIDE 0x0010

enum scanning {
	SCAN_NOT,
	SCAN_ALONE,
	SCAN_BESIDE,
	SCAN_UNSURE /* it could not be stopped: never wanted, so the main thread tries again */
};

static enum scanning scanning;
static atomic_t attempt; /* an attempt to connect is running */

/* The controller starts the events of its connections CONFIG_BT_CTLR_CENTRAL_SPACING apart, and that of 3.3 up to
 * SPACING_ERROR_US later. What is left of the interval belongs to the last connection, which must not get less than the
 * others (docs/firmware.md). A full packet on the coded PHY and its answer need more time. */
#define SPACING_ERROR_US 60
#define SPACING_CODED_US 35000u

#if defined(CONFIG_BT_CTLR_CENTRAL_SPACING)
BUILD_ASSERT(CONFIG_BT_CTLR_CENTRAL_SPACING + SPACING_ERROR_US <= CONFIG_PNC_CONN_SPACING_US);
#endif

/* Upper bound of the interval that a connection starts with. Encryption and discovery take tens of connection events
 * and must finish within CONFIG_PNC_AUTH_TIMEOUT_S. */
#define START_MOST_US 50000u

static void count(const bt_addr_le_t *address, void *user)
{
	uint32_t *known = user;

	ARG_UNUSED(address);
	*known += 1;
}

/* Return the connection interval for another camera: the configured one, or one that gives all known cameras equal
 * shares. It does not change later, because changing the interval of several connections can stop the controller of
 * Zephyr 3.3. */
static uint32_t shared_interval_us(void)
{
	struct pnc_configure settings = radio_settings();
	bool coded = settings.phy == PNC_PHY_CODED_S2 || settings.phy == PNC_PHY_CODED_S8;
	uint32_t known = 0;

	security_each_known(count, &known);
	return known < 2 ? settings.interval_us : known * (coded ? SPACING_CODED_US : CONFIG_PNC_CONN_SPACING_US);
}

bool radio_central_starts_shorter(void)
{
	return shared_interval_us() > START_MOST_US;
}

static bool names_our_service(struct bt_data *data, void *user)
{
	static const uint8_t service[] = {PNC_UUID_BYTES(PNC_SERVICE_UUID)};
	bool *found = user;

	if (data->type != BT_DATA_UUID128_ALL && data->type != BT_DATA_UUID128_SOME) {
		return true;
	}
	for (size_t at = 0; at + sizeof(service) <= data->data_len; at += sizeof(service)) {
		*found = *found || memcmp(data->data + at, service, sizeof(service)) == 0;
	}
	return !*found;
}

/* Stop the scan. Return 0 or a negative error, after which the controller may scan or not. The stack has forgotten the
 * callback in either case, so that a scan that is still wanted has to start again. */
static int stop_scanning(void)
{
	int error = bt_le_scan_stop();

	error = error == -EALREADY ? 0 : error;
	scanning = error == 0 ? SCAN_NOT : SCAN_UNSURE;
	return error;
}

static void on_advertisement(const bt_addr_le_t *address, int8_t rssi, uint8_t type, struct net_buf_simple *data)
{
	struct bt_le_conn_param parameters = radio_parameters_connection(MIN(shared_interval_us(), START_MOST_US));
	struct bt_conn *conn = NULL;
	bool found = false;
	int error;

	ARG_UNUSED(rssi);
	if (type != BT_GAP_ADV_TYPE_ADV_IND || atomic_get(&attempt) != 0) {
		return;
	}
	bt_data_parse(data, names_our_service, &found);
	if (!found || !security_allows(address) || radio_is_connected(address)) {
		return;
	}
	error = stop_scanning();
	if (error == 0) {
		atomic_set(&attempt, 1);
		error = bt_conn_le_create(address, BT_CONN_LE_CREATE_CONN, &parameters, &conn);
	}
	if (error != 0) { /* e.g. while the main thread is still in bt_le_scan_start */
		atomic_set(&attempt, 0);
		fault_check_repeated(FAULT_CONNECT, error);
		radio_notify();
		return;
	}
	bt_conn_unref(conn); /* the table of connections takes its own reference once it is connected */
}

void radio_central_attempt_ended(bool connected)
{
	atomic_set(&attempt, 0);
	if (connected) { /* that scanning starts again shows nothing */
		fault_check_repeated(FAULT_CONNECT, 0);
	}
}

static void count_missing(const bt_addr_le_t *address, void *user)
{
	int *missing = user;

	*missing += !radio_is_connected(address);
}

static enum scanning wanted_scanning(void)
{
	int missing = 0;

	if (radio_role() != PNC_ROLE_EDGE || !radio_has_free_slot() || atomic_get(&attempt) != 0) {
		return SCAN_NOT;
	}
	security_each_known(count_missing, &missing);
	if (missing == 0 && !security_pairing_open()) {
		return SCAN_NOT;
	}
	return radio_links_up() == 0 ? SCAN_ALONE : SCAN_BESIDE;
}

void radio_central_stack_restarted(void)
{
	scanning = SCAN_NOT;
	atomic_set(&attempt, 0);
}

void radio_central_process(void)
{
	enum scanning wanted = wanted_scanning();
	int error;
	struct bt_le_scan_param parameters = {
		.type = BT_LE_SCAN_TYPE_PASSIVE,
		.options = BT_LE_SCAN_OPT_NONE,
		.interval = wanted == SCAN_ALONE ? SCAN_INTERVAL : SCAN_INTERVAL_BESIDE,
		.window = wanted == SCAN_ALONE ? SCAN_INTERVAL : SCAN_WINDOW_BESIDE,
	};

	if (radio_role() != PNC_ROLE_EDGE) { /* what this role needs no more is no fault */
		fault_end(PNC_ERROR_CODE_SCAN);
		fault_end(FAULT_CONNECT);
	}
	if (wanted == scanning) {
		return;
	}
	error = stop_scanning();
	if (error == 0 && wanted != SCAN_NOT) {
		scanning = wanted; /* set before the start, because on_advertisement may end the scan at once */
		error = bt_le_scan_start(&parameters, on_advertisement);
		if (error != 0) {
			scanning = SCAN_NOT;
		}
	}
	fault_check_repeated(PNC_ERROR_CODE_SCAN, error); /* what failed is tried again */
}

static uint8_t on_notification(struct bt_conn *conn, struct bt_gatt_subscribe_params *subscription, const void *data,
			       uint16_t len)
{
	uint8_t peer;

	ARG_UNUSED(subscription);
	if (data == NULL || conn == NULL) {
		return BT_GATT_ITER_STOP;
	}
	peer = radio_link_of(conn);
	if (peer < PNC_PEERS && !atomic_test_bit(radio_links[peer].flags, LINK_EXCLUDED)) {
		board_radio_rx(peer, data, len);
	}
	return BT_GATT_ITER_CONTINUE;
}

/* The service of a camera cannot be used: count it, and connect again. */
static void give_up(struct bt_conn *conn, int error)
{
	fault_note(PNC_ERROR_CODE_SERVICE, error);
	radio_disconnect(conn, BT_HCI_ERR_REMOTE_USER_TERM_CONN);
}

static void on_subscribed(struct bt_conn *conn, uint8_t error, struct bt_gatt_subscribe_params *subscription)
{
	ARG_UNUSED(subscription);
	if (error == 0) {
		fault_end(PNC_ERROR_CODE_SERVICE);
		radio_link_note(conn, LINK_SUBSCRIBED);
	} else {
		give_up(conn, error);
	}
}

/* Store the handles of the attributes, which arrive one by one. The CCC descriptor follows the value that it belongs
 * to.
 */
static uint8_t on_attribute(struct bt_conn *conn, const struct bt_gatt_attr *attr,
			    struct bt_gatt_discover_params *discovery)
{
	struct radio_link *link = CONTAINER_OF(discovery, struct radio_link, discovery);
	struct bt_gatt_subscribe_params *subscription = &link->subscription;

	if (attr == NULL) { /* discovery is complete */
		if (link->to_camera != 0 && subscription->ccc_handle != 0) {
			int error = bt_gatt_subscribe(conn, subscription);

			if (error != 0) {
				give_up(conn, error);
			}
		} else if (radio_link_of(conn) < PNC_PEERS) { /* otherwise the connection has ended */
			give_up(conn, -ENOENT);
		}
		return BT_GATT_ITER_STOP;
	}
	if (bt_uuid_cmp(attr->uuid, PNC_UUID(PNC_TO_EDGE_UUID)) == 0) {
		subscription->value_handle = attr->handle;
	} else if (bt_uuid_cmp(attr->uuid, PNC_UUID(PNC_TO_CAMERA_UUID)) == 0) {
		link->to_camera = attr->handle;
	} else if (bt_uuid_cmp(attr->uuid, BT_UUID_GATT_CCC) == 0 && subscription->value_handle != 0 &&
		   subscription->ccc_handle == 0) {
		subscription->ccc_handle = attr->handle;
	}
	return BT_GATT_ITER_CONTINUE;
}

void radio_central_discover(struct radio_link *link, struct bt_conn *conn)
{
	int error;

	link->to_camera = 0;
	link->subscription = (struct bt_gatt_subscribe_params){
		.notify = on_notification,
		.subscribe = on_subscribed,
		.value = BT_GATT_CCC_NOTIFY,
	};
	atomic_set_bit(link->subscription.flags, BT_GATT_SUBSCRIBE_FLAG_VOLATILE);
	link->discovery = (struct bt_gatt_discover_params){
		.func = on_attribute,
		.start_handle = BT_ATT_FIRST_ATTRIBUTE_HANDLE,
		.end_handle = BT_ATT_LAST_ATTRIBUTE_HANDLE,
		.type = BT_GATT_DISCOVER_ATTRIBUTE,
	};
	error = bt_gatt_discover(conn, &link->discovery);
	if (error != 0) {
		give_up(conn, error);
	}
}

int radio_central_send(struct bt_conn *conn, uint16_t handle, const uint8_t *packet, size_t len,
		       bt_gatt_complete_func_t sent)
{
	return bt_gatt_write_without_response_cb(conn, handle, packet, len, false, sent, NULL);
}
