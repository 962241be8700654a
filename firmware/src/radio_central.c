/* The edge: a GATT central that looks for cameras and subscribes to them. */
#include <string.h>

#include "radio_parts.h"
#include "release.h"

/* In units of 625 us. Alone: listen all the time; beside connections: leave them the air. Their intervals are multiples
 * of 1.25 ms: an odd number of units is never in step with them, or seven connections could hide a camera for ever. */
#define SCAN_INTERVAL 0x0060
#define SCAN_INTERVAL_BESIDE 0x010B
#define SCAN_WINDOW_BESIDE 0x0010

enum scanning {
	SCAN_NOT,
	SCAN_ALONE,
	SCAN_BESIDE
};

static enum scanning scanning;
static atomic_t attempt; /* a connection is being made */

/* The controller places connections one behind the other, CONFIG_PNC_SLICE_US apart, and a longer interval's rest is
 * the last one's (docs/firmware.md). A full packet on the coded PHY and its answer take more. */
#define SLICE_CODED_US 35000u

/* Pairing and discovery take tens of connection events, and must be over after CONFIG_PNC_STRANGER_S: a connection
 * begins with no longer interval than this. */
#define BEGIN_MOST_US 50000u

static void count(const bt_addr_le_t *address, void *user)
{
	uint32_t *known = user;

	ARG_UNUSED(address);
	*known += 1;
}

/* Connection interval for one more camera: the configured one, or what the known cameras share fairly. It is chosen
 * with the connection, since a change of several connections' intervals can stop the controller of Zephyr 3.3. */
static uint32_t shared_interval_us(void)
{
	bool coded = radio_settings.phy == PNC_PHY_CODED_S2 || radio_settings.phy == PNC_PHY_CODED_S8;
	uint32_t known = 0;

	security_each_known(count, &known);
	return known < 2 ? radio_settings.interval_us : known * (coded ? SLICE_CODED_US : CONFIG_PNC_SLICE_US);
}

bool radio_central_began_shorter(void)
{
	return shared_interval_us() > BEGIN_MOST_US;
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

static void on_advertisement(const bt_addr_le_t *address, int8_t rssi, uint8_t type, struct net_buf_simple *data)
{
	struct bt_le_conn_param parameters = radio_parameters_connection(MIN(shared_interval_us(), BEGIN_MOST_US));
	struct bt_conn *conn = NULL;
	bool found = false;

	ARG_UNUSED(rssi);
	if (type != BT_GAP_ADV_TYPE_ADV_IND || atomic_get(&attempt) != 0) {
		return;
	}
	bt_data_parse(data, names_our_service, &found);
	if (!found || !security_allows(address) || radio_is_connected(address)) {
		return;
	}
	if (bt_le_scan_stop() != 0) {
		return;
	}
	scanning = SCAN_NOT;
	atomic_set(&attempt, 1);
	if (bt_conn_le_create(address, BT_CONN_LE_CREATE_CONN, &parameters, &conn) != 0) {
		atomic_set(&attempt, 0);
		radio_attend();
		return;
	}
	bt_conn_unref(conn); /* radio.c takes its own when it is connected */
}

void radio_central_attempt_ended(void)
{
	atomic_set(&attempt, 0);
}

static void count_missing(const bt_addr_le_t *address, void *user)
{
	int *missing = user;

	*missing += !radio_is_connected(address);
}

static enum scanning wanted_scanning(void)
{
	int missing = 0;

	if (radio_settings.role != PNC_ROLE_EDGE || !radio_has_place() || atomic_get(&attempt) != 0) {
		return SCAN_NOT;
	}
	security_each_known(count_missing, &missing);
	if (missing == 0 && !security_pairing_open()) {
		return SCAN_NOT;
	}
	return radio_links_up() == 0 ? SCAN_ALONE : SCAN_BESIDE;
}

void radio_central_manage(void)
{
	enum scanning wanted = wanted_scanning();
	struct bt_le_scan_param parameters = {
		.type = BT_LE_SCAN_TYPE_PASSIVE,
		.options = BT_LE_SCAN_OPT_NONE,
		.interval = wanted == SCAN_ALONE ? SCAN_INTERVAL : SCAN_INTERVAL_BESIDE,
		.window = wanted == SCAN_ALONE ? SCAN_INTERVAL : SCAN_WINDOW_BESIDE,
	};

	if (wanted == scanning) {
		return;
	}
	(void)bt_le_scan_stop();
	scanning = wanted; /* before it starts: on_advertisement may end it at once */
	if (wanted != SCAN_NOT && bt_le_scan_start(&parameters, on_advertisement) != 0) {
		scanning = SCAN_NOT;
	}
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
	if (peer < PNC_PEERS) {
		board_radio_rx(peer, data, len);
	}
	return BT_GATT_ITER_CONTINUE;
}

static void on_subscribed(struct bt_conn *conn, uint8_t error, struct bt_gatt_subscribe_params *subscription)
{
	uint8_t peer = radio_link_of(conn);

	ARG_UNUSED(subscription);
	if (peer < PNC_PEERS && error == 0) {
		atomic_set_bit(radio_links[peer].flags, LINK_SUBSCRIBED);
		radio_attend();
	}
}

/* Takes the handles of one attribute after the other; the CCC descriptor follows the value that it is for. */
static uint8_t on_attribute(struct bt_conn *conn, const struct bt_gatt_attr *attr,
			    struct bt_gatt_discover_params *discovery)
{
	struct radio_link *link = CONTAINER_OF(discovery, struct radio_link, discovery);
	struct bt_gatt_subscribe_params *subscription = &link->subscription;

	if (attr == NULL) { /* the end */
		if (link->to_camera != 0 && subscription->ccc_handle != 0) {
			(void)bt_gatt_subscribe(conn, subscription);
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
	(void)bt_gatt_discover(conn, &link->discovery);
}

int radio_central_send(struct bt_conn *conn, uint16_t handle, const uint8_t *packet, size_t len,
		       bt_gatt_complete_func_t sent)
{
	return bt_gatt_write_without_response_cb(conn, handle, packet, len, false, sent, NULL);
}
