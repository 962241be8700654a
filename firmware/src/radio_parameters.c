/* PHY, data length, MTU, interval, transmit power and RSSI of a connection. */
#include <errno.h>

#include <zephyr/bluetooth/hci.h>
#include <zephyr/bluetooth/hci_vs.h>
#include <zephyr/sys/byteorder.h>

#include "faults.h"
#include "radio_internal.h"
#include "zephyr_compat.h"

#define US_PER_INTERVAL_UNIT 1250u
/* After so many intervals without a packet a connection is lost, but neither sooner nor later than these times. */
#define SUPERVISION_INTERVALS 40u
#define SUPERVISION_LEAST_MS 2000u
#define SUPERVISION_MOST_MS 4000u
#define ATT_HEADER 3
/* A request that is refused for so long is a fault: 5 s and 40 intervals. */
#define REFUSED_MS 5000
#define REFUSED_INTERVALS 40u

struct bt_le_conn_param radio_parameters_connection(uint32_t interval_us)
{
	uint16_t interval = interval_us / US_PER_INTERVAL_UNIT;
	uint32_t interval_ms = interval_us / USEC_PER_MSEC;
	uint32_t timeout_ms = CLAMP(SUPERVISION_INTERVALS * interval_ms, SUPERVISION_LEAST_MS, SUPERVISION_MOST_MS);

	/* Bluetooth requires a timeout of more than two intervals. Intervals are at most 4 s. */
	timeout_ms = MAX(timeout_ms, 3 * interval_ms);
	return (struct bt_le_conn_param)BT_LE_CONN_PARAM_INIT(interval, interval, 0, timeout_ms / 10);
}

/* The coded PHYs, where the controller has them. */
#define CODED (IS_ENABLED(CONFIG_PNC_PHY_CODED) ? BT_GAP_LE_PHY_CODED : 0)

/* Return the PHY of a connection by the settings, or by the core's choice. */
static uint8_t wanted_phy(const struct radio_link *link)
{
	uint8_t phy = radio_settings().phy;

	return phy == PNC_PHY_AUTO && link->phy != PNC_PHY_KEEP ? link->phy : phy;
}

/* Mark the PHY to be requested, and hold packets back until it has changed. */
static void change_phy(struct radio_link *link)
{
	link->held_ms = k_uptime_get();
	atomic_set_bit(link->flags, LINK_HELD);
	atomic_set_bit(link->flags, LINK_REQUEST_PHY);
}

/* Request the PHY of the settings, or the one that the core chose. The link layer takes the fastest PHY that both sides
 * accept. So 2M also accepts the others, and a peer that asks for the slower 1M or the long-range coded PHY gets it.
 * Each side chooses the coding of its own packets: where the peer asked for the coded PHY, S8 carries as far as the
 * peer may need. */
static int request_phy(struct radio_link *link, struct bt_conn *conn)
{
	bool chosen = radio_settings().phy == PNC_PHY_AUTO && link->phy != PNC_PHY_KEEP;
	struct bt_conn_le_phy_param phy = {.options = BT_CONN_LE_PHY_OPT_CODED_S8};

	switch (wanted_phy(link)) {
	case PNC_PHY_LE_1M:
		phy.pref_tx_phy = BT_GAP_LE_PHY_1M | (chosen ? CODED : 0);
		break;
	case PNC_PHY_CODED_S2:
		phy.options = BT_CONN_LE_PHY_OPT_CODED_S2;
		phy.pref_tx_phy = BT_GAP_LE_PHY_CODED;
		atomic_set_bit(link->flags, LINK_CODED_S2);
		break;
	case PNC_PHY_CODED_S8:
		phy.pref_tx_phy = BT_GAP_LE_PHY_CODED;
		atomic_clear_bit(link->flags, LINK_CODED_S2);
		break;
	default:
		phy.pref_tx_phy = BT_GAP_LE_PHY_2M | BT_GAP_LE_PHY_1M | CODED;
		break;
	}
	phy.pref_rx_phy = phy.pref_tx_phy;
	return bt_conn_le_phy_update(conn, &phy);
}

static void set_power(struct bt_conn *conn)
{
#if defined(CONFIG_PNC_TX_POWER)
	struct bt_hci_cp_vs_write_tx_power_level *command;
	struct net_buf *buffer;
	uint16_t handle;
	int error;

	if (bt_hci_get_conn_handle(conn, &handle) != 0) {
		return;
	}
	buffer = pnc_hci_command(BT_HCI_OP_VS_WRITE_TX_POWER_LEVEL, sizeof(*command));
	if (buffer == NULL) {
		return;
	}
	command = net_buf_add(buffer, sizeof(*command));
	command->handle_type = BT_HCI_VS_LL_HANDLE_TYPE_CONN;
	command->handle = sys_cpu_to_le16(handle);
	command->tx_power_level = radio_settings().tx_power_dbm;
	error = bt_hci_cmd_send_sync(BT_HCI_OP_VS_WRITE_TX_POWER_LEVEL, buffer, NULL);
	if (radio_link_of(conn) < PNC_PEERS) { /* otherwise the connection has ended */
		fault_check(FAULT_POWER, error);
	}
#else
	ARG_UNUSED(conn);
#endif
}

/* Without an exchange no packet fits, and we may ask only once in a connection. The peer may have asked, too. */
static void on_mtu(struct bt_conn *conn, uint8_t error, struct bt_gatt_exchange_params *exchange)
{
	ARG_UNUSED(exchange);
	if (error == 0) {
		fault_end(FAULT_MTU);
	} else if (radio_conn_is_up(conn) && bt_gatt_get_mtu(conn) < PNC_MAX_PACKET + ATT_HEADER) {
		fault_note(FAULT_MTU, error);
		radio_disconnect(conn, BT_HCI_ERR_REMOTE_USER_TERM_CONN);
	}
}

/* Request the MTU, which a client does once per connection. */
static int request_mtu(struct radio_link *link, struct bt_conn *conn)
{
	int error;

	link->exchange.func = on_mtu;
	error = bt_gatt_exchange_mtu(conn, &link->exchange);
	return error == -EALREADY ? 0 : error;
}

void radio_parameters_begin(struct radio_link *link, struct bt_conn *conn)
{
	link->asked_ms = 0;
	set_power(conn);
	atomic_set_bit(link->flags, LINK_REQUEST_MTU);
	if (radio_settings().phy !=
	    PNC_PHY_AUTO) { /* otherwise it starts at 1M, until the core has seen the conditions */
		atomic_set_bit(link->flags, LINK_REQUEST_PHY);
	}
}

void radio_parameters_change(struct radio_link *link, struct bt_conn *conn, bool other_interval)
{
	uint8_t phy = radio_settings().phy == PNC_PHY_AUTO ? PNC_PHY_LE_2M : radio_settings().phy;

	set_power(conn);
	link->phy = PNC_PHY_KEEP;
	if (phy == radio_parameters_of(conn).phy) {
		atomic_set_bit(link->flags, LINK_REQUEST_PHY);
	} else {
		change_phy(link);
	}
	if (other_interval) {
		atomic_set_bit(link->flags, LINK_REQUEST_INTERVAL);
	}
}

/* Time for a packet of 251 bytes on each PHY, us (Bluetooth Core 5.4, Vol 6, Part B, 4.5.10). */
#define LENGTH_BYTES 251
#define LENGTH_UNCODED_US 2120
#define LENGTH_S2_US 4542
#define LENGTH_S8_US 17040

/* Request the length of packets, in bytes and in time. The link layer reserves the time for each connection event, both
 * ways, whatever the PHY: with that of the coded PHY a connection at 2M would get one event in sixteen
 * (docs/firmware.md). So the time is that of the PHY in use. A request that the controller refuses is repeated. */
static int request_length(struct radio_link *link, struct bt_conn *conn)
{
	struct bt_conn_le_data_len_param length = {.tx_max_len = LENGTH_BYTES, .tx_max_time = LENGTH_UNCODED_US};
	struct bt_conn_info info;

	int error = bt_conn_get_info(conn, &info);

	if (error != 0) {
		return error;
	}
	if (info.le.phy->tx_phy == BT_GAP_LE_PHY_CODED) {
		/* An edge board has little to send. */
		length.tx_max_time = atomic_test_bit(link->flags, LINK_CODED_S2) || radio_role() == PNC_ROLE_EDGE
					     ? LENGTH_S2_US
					     : LENGTH_S8_US;
	}
	if (length.tx_max_time != link->length_us) {
		error = bt_conn_le_data_len_update(conn, &length);
		link->length_us = error == 0 ? length.tx_max_time : link->length_us;
	}
	return error;
}

void radio_parameters_choose_phy(struct radio_link *link, uint8_t phy)
{
	link->phy = phy;
	change_phy(link);
}

void radio_parameters_phy_changed(struct radio_link *link)
{
	atomic_set_bit_to(link->flags, LINK_CODED_S2, wanted_phy(link) == PNC_PHY_CODED_S2);
}

/* Request what is marked by a flag, and clear that. */
static int request(struct radio_link *link, struct bt_conn *conn, int flag,
		   int (*call)(struct radio_link *link, struct bt_conn *conn))
{
	int error = atomic_test_bit(link->flags, flag) ? call(link, conn) : 0;

	if (error == 0) {
		atomic_clear_bit(link->flags, flag);
	}
	return error;
}

static int request_interval(struct radio_link *link, struct bt_conn *conn)
{
	struct bt_le_conn_param parameters = radio_parameters_connection(radio_settings().interval_us);
	int error = bt_conn_le_param_update(conn, &parameters);

	ARG_UNUSED(link);
	return error == -EALREADY ? 0 : error;
}

/* Return for how long requests may be refused, ms: some procedures, one after the other, each of a few intervals. */
static int64_t patience_ms(const struct bt_conn *conn)
{
	struct bt_conn_info info;

	return REFUSED_MS +
	       (bt_conn_get_info(conn, &info) == 0 ? REFUSED_INTERVALS * PNC_INTERVAL_US(&info) / USEC_PER_MSEC : 0);
}

/* Count requests that are refused for too long. They are repeated all the same. */
static void watch_requests(struct radio_link *link, const struct bt_conn *conn, int error)
{
	int64_t now_ms = k_uptime_get();

	if (error == 0) {
		link->asked_ms = 0;
		atomic_clear_bit(link->flags, LINK_REFUSED);
		if (!radio_any(LINK_REFUSED)) {
			fault_end(FAULT_REQUEST);
		}
	} else if (link->asked_ms == 0) {
		link->asked_ms = now_ms;
	} else if (now_ms - link->asked_ms > patience_ms(conn)) {
		atomic_set_bit(link->flags, LINK_REFUSED);
		fault_note(FAULT_REQUEST, error);
		link->asked_ms = now_ms;
	}
}

void radio_parameters_request(struct radio_link *link, struct bt_conn *conn)
{
	bool phy_due = atomic_test_bit(link->flags, LINK_REQUEST_PHY);
	int errors[] = {
		request(link, conn, LINK_REQUEST_MTU, request_mtu),
		request(link, conn, LINK_REQUEST_PHY, request_phy),
		request_length(link, conn),
		request(link, conn, LINK_REQUEST_INTERVAL, request_interval),
	};
	int error = 0;

	if (phy_due && errors[1] == 0 && link->phy != PNC_PHY_KEEP) {
		/* perhaps only the coding of our own packets, of which no event tells */
		atomic_set_bit(link->flags, LINK_CHANGED);
	}
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		error = errors[i] != 0 ? errors[i] : error;
	}
	if (error != -ENOTCONN) {
		watch_requests(link, conn, error);
	}
}

static uint8_t phy_of(const struct bt_conn *conn, const struct bt_conn_info *info)
{
	uint8_t peer = radio_link_of(conn);

	switch (info->le.phy->tx_phy) {
	case BT_GAP_LE_PHY_2M:
		return PNC_PHY_LE_2M;
	case BT_GAP_LE_PHY_CODED: /* the sender, so this board, chooses the coding */
		return peer < PNC_PEERS && atomic_test_bit(radio_links[peer].flags, LINK_CODED_S2) ? PNC_PHY_CODED_S2
												   : PNC_PHY_CODED_S8;
	default:
		return PNC_PHY_LE_1M;
	}
}

/* Time for a full packet and the empty one that answers it, both encrypted, with the gaps between them. */
#define EXCHANGE_1M_US 2500u
/* Part of an interval to leave free, so that the packets of the next event are in the controller in time. */
#define REFILL_US 1500u

/* Return how many packets a connection event should carry; 0: any number. Only 1M was measured to lose events to
 * packets that do not fit (docs/firmware.md). */
static uint8_t event_packets(const struct pnc_radio_link *link)
{
	if (link->phy != PNC_PHY_LE_1M || link->interval_us < REFILL_US + EXCHANGE_1M_US) {
		return 0;
	}
	return MIN((link->interval_us - REFILL_US) / EXCHANGE_1M_US, UINT8_MAX);
}

struct pnc_radio_link radio_parameters_of(struct bt_conn *conn)
{
	struct pnc_radio_link link = {.phy = PNC_PHY_LE_1M, .mtu = bt_gatt_get_mtu(conn)};
	struct bt_conn_info info;

	if (bt_conn_get_info(conn, &info) == 0) {
		link.interval_us = PNC_INTERVAL_US(&info);
		link.phy = phy_of(conn, &info);
		link.event_packets = event_packets(&link);
	}
	return link;
}

int8_t radio_parameters_rssi_dbm(struct bt_conn *conn)
{
	struct bt_hci_cp_read_rssi *command;
	struct bt_hci_rp_read_rssi *answer;
	struct net_buf *buffer, *response = NULL;
	int8_t rssi_dbm = 127;
	uint16_t handle;

	if (bt_hci_get_conn_handle(conn, &handle) != 0) {
		return rssi_dbm;
	}
	buffer = pnc_hci_command(BT_HCI_OP_READ_RSSI, sizeof(*command));
	if (buffer == NULL) {
		return rssi_dbm;
	}
	command = net_buf_add(buffer, sizeof(*command));
	command->handle = sys_cpu_to_le16(handle);
	if (bt_hci_cmd_send_sync(BT_HCI_OP_READ_RSSI, buffer, &response) == 0) {
		answer = (void *)response->data;
		rssi_dbm = answer->rssi;
		net_buf_unref(response);
	}
	return rssi_dbm;
}
