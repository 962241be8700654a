/* The manager: advances each connection until it carries packets, and applies the settings. */
#include "radio.h"

#include <zephyr/bluetooth/hci.h>
#include <zephyr/logging/log.h>
#include <zephyr/settings/settings.h>

#include "faults.h"
#include "radio_internal.h"
#include "store.h"
#include "supervision.h"

LOG_MODULE_REGISTER(pnc_radio, CONFIG_PNC_LOG_LEVEL);

#define RSSI_EVERY_MS 1000
/* With packets in the controller, a change to the coded PHY ended the connection, and a change from it ended the
 * program (Zephyr 4.1.99's controller, simulated). So none is handed over until the change has happened, for so long at
 * most. */
#define HELD_MOST_MS 500
#define RSSI_EVERY_AUTO_MS 50 /* where the PHY follows the conditions */
#define END_MS 500            /* for connections to end */

static K_MUTEX_DEFINE(lock);           /* of `requested` and `request_pending` */
static struct pnc_configure requested; /* the configuration that the host requested last */
static bool request_pending;
static bool enabled;

uint32_t radio_capabilities(void)
{
	return PNC_CAPABILITY_PHY_2M | (IS_ENABLED(CONFIG_PNC_PHY_CODED) ? PNC_CAPABILITY_PHY_CODED : 0);
}

static bool role_fits(struct bt_conn *conn)
{
	struct bt_conn_info info;

	if (bt_conn_get_info(conn, &info) != 0) {
		return false;
	}
	return info.role == BT_CONN_ROLE_CENTRAL ? radio_role() == PNC_ROLE_EDGE : radio_role() == PNC_ROLE_CAMERA;
}

static void on_connected(struct bt_conn *conn, uint8_t error)
{
	LOG_INF("connected: %u", error);
	radio_central_attempt_ended(error == 0);
	radio_peripheral_advertising_ended();
	radio_notify();
	if (error != 0) {
		return;
	}
	if (!role_fits(conn) || !radio_link_open(conn)) {
		radio_disconnect(conn, BT_HCI_ERR_REMOTE_USER_TERM_CONN);
	} else if (!security_allows(bt_conn_get_dst(conn))) {
		radio_link_note(conn, LINK_EXCLUDED); /* bonded, but the configuration names another board */
	}
}

static void on_disconnected(struct bt_conn *conn, uint8_t reason)
{
	uint8_t peer = radio_link_close(conn);

	LOG_INF("disconnected: %u", reason);
	if (!radio_any(LINK_STUCK)) {
		fault_end(PNC_ERROR_CODE_STUCK);
	}
	if (!radio_any(LINK_REFUSED)) {
		fault_end(FAULT_REQUEST);
	}
	radio_notify();
	if (peer < PNC_PEERS) {
		board_radio_down(peer, reason);
	}
}

static void on_security(struct bt_conn *conn, bt_security_t level, enum bt_security_err error)
{
	LOG_INF("security level %d: %d", (int)level, (int)error);
	if (error == BT_SECURITY_ERR_PIN_OR_KEY_MISSING) {
		radio_link_note(conn, LINK_STALE_KEY);
	} else if (error == BT_SECURITY_ERR_SUCCESS && level >= BT_SECURITY_L2) {
		radio_link_note(conn, LINK_SECURE);
	} else {
		radio_disconnect(conn, BT_HCI_ERR_AUTH_FAIL);
	}
}

/* Refuse other parameters on an edge board, where all cameras share one interval. */
static bool on_parameters_request(struct bt_conn *conn, struct bt_le_conn_param *request)
{
	ARG_UNUSED(conn);
	ARG_UNUSED(request);
	return radio_role() != PNC_ROLE_EDGE;
}

static void on_parameters(struct bt_conn *conn, uint16_t interval, uint16_t latency, uint16_t timeout)
{
	ARG_UNUSED(interval);
	ARG_UNUSED(latency);
	ARG_UNUSED(timeout);
	radio_link_note(conn, LINK_CHANGED);
}

/* Let packets be handed over again. */
static void release(struct radio_link *link)
{
	if (atomic_test_and_clear_bit(link->flags, LINK_HELD)) {
		radio_wake();
	}
}

static void on_phy(struct bt_conn *conn, struct bt_conn_le_phy_info *phy)
{
	uint8_t peer = radio_link_of(conn);

	ARG_UNUSED(phy);
	if (peer < PNC_PEERS) {
		radio_parameters_phy_changed(&radio_links[peer]);
		release(&radio_links[peer]);
	}
	radio_link_note(conn, LINK_CHANGED);
}

static void on_mtu(struct bt_conn *conn, uint16_t tx, uint16_t rx)
{
	ARG_UNUSED(tx);
	ARG_UNUSED(rx);
	radio_link_note(conn, LINK_CHANGED);
}

BT_CONN_CB_DEFINE(callbacks) = {
	.connected = on_connected,
	.disconnected = on_disconnected,
	.security_changed = on_security,
	.le_param_req = on_parameters_request,
	.le_param_updated = on_parameters,
	.le_phy_updated = on_phy,
};

static struct bt_gatt_cb gatt_callbacks = {.att_mtu_updated = on_mtu};

/* Restart the Bluetooth host and its controller, which ends all connections, advertising and the scan, and makes
 * another key.
 *
 * To end a connection, the link layer waits for the peer's confirmation. The peer chose the timeout for that when it
 * connected, so a peer that has fallen silent could occupy a camera's only slot for up to 32 s. Only a restart ends
 * that earlier. A camera has no other connection that it could harm. */
static void restart_stack(void)
{
	bt_addr_le_t own = {0};
	size_t one = 1;
	int error;

	bt_id_get(&own, &one);
	error = bt_disable();
	bt_id_create(&own, NULL); /* or there would be another one; fails if the controller has an address */
	radio_key_begins();
	error = error != 0 ? error : bt_enable(NULL);
	error = error != 0 ? error : settings_load_subtree("bt");
	if (error != 0) {
		fault_note(PNC_ERROR_CODE_BLUETOOTH, error);
		supervision_request_reset(PNC_RESET_KIND_FIRMWARE); /* never refused */
	}
	security_stack_restarted();
	radio_peripheral_advertising_ended();
	radio_central_stack_restarted();
}

uint8_t radio_start(void)
{
	struct pnc_configure settings;
	int error;

	store_open();
	radio_key_begins();
	enabled = fault_check(PNC_ERROR_CODE_BLUETOOTH, bt_enable(NULL));
	/* With a controller that does not answer, the stack would command it. That the call succeeds means nothing: it
	 * does so without a storage, too. */
	error = enabled ? settings_load_subtree("bt") : 0;
	if (error != 0) {
		fault_note(PNC_ERROR_CODE_SETTINGS, error);
	}
	store_load(&settings);
	if (enabled && !security_start()) {
		enabled = false;
		error = bt_disable();
		if (error != 0) {
			fault_note(PNC_ERROR_CODE_BLUETOOTH, error);
		}
	}
	if (!enabled) {
		return PNC_ROLE_NONE;
	}
	radio_settings_set(&settings);
	bt_gatt_cb_register(&gatt_callbacks);
	radio_sender_start();
	radio_rx_watch_start();
	return settings.role;
}

/* Replace the fields of `next` that keep their value by those of `last`. */
static void complete(struct pnc_configure *next, const struct pnc_configure *last)
{
	next->phy = next->phy == PNC_PHY_KEEP ? last->phy : next->phy;
	next->tx_power_dbm = next->tx_power_dbm == 127 ? last->tx_power_dbm : next->tx_power_dbm;
	next->interval_us = next->interval_us == 0 ? last->interval_us : next->interval_us;
}

bool radio_configure(const struct pnc_configure *configuration)
{
	bool coded = configuration->phy == PNC_PHY_CODED_S2 || configuration->phy == PNC_PHY_CODED_S8;
	int8_t power_dbm = configuration->tx_power_dbm;
	struct pnc_configure last;

	if (!enabled || (coded && !IS_ENABLED(CONFIG_PNC_PHY_CODED)) ||
	    (power_dbm != 127 && (power_dbm < -40 || power_dbm > 8))) {
		return false;
	}
	k_mutex_lock(&lock, K_FOREVER);
	last = requested;
	requested = *configuration;
	if (request_pending) { /* the main thread has not applied the last one yet */
		complete(&requested, &last);
	}
	request_pending = true;
	k_mutex_unlock(&lock);
	radio_notify();
	return true;
}

void radio_end(void)
{
	int64_t until_ms = k_uptime_get() + END_MS;
	struct pnc_configure settings = radio_settings();

	settings.role = PNC_ROLE_NONE; /* no new connection starts; the stored settings stay as they are */
	radio_settings_set(&settings);
	if (!enabled) {
		return;
	}
	radio_peripheral_process();
	radio_central_process();
	radio_disconnect_all();
	do {
		k_msleep(1);
	} while (radio_connected() > 0 && k_uptime_get() < until_ms);
}

/* Apply changed settings to the existing connections. Changing the interval of several connections can stop the
 * controller of Zephyr 3.3, so those are ended instead; they start again with the new interval. */
static void change_all(bool other_interval)
{
	if (other_interval && radio_connected() > 1) {
		radio_disconnect_all();
		return;
	}
	for (uint8_t i = 0; i < PNC_PEERS; i++) {
		struct bt_conn *conn = radio_link_ref(i);

		if (conn != NULL) {
			radio_parameters_change(&radio_links[i], conn, other_interval);
			bt_conn_unref(conn);
		}
	}
}

/* Stop the exchange of packets with boards that the settings exclude, before anything else takes time. Their
 * connections end in `advance`. */
static void exclude(void)
{
	for (uint8_t i = 0; i < PNC_PEERS; i++) {
		struct bt_conn *conn = radio_link_ref(i);

		if (conn != NULL) {
			atomic_set_bit_to(radio_links[i].flags, LINK_EXCLUDED, !security_allows(bt_conn_get_dst(conn)));
			bt_conn_unref(conn);
		}
	}
}

/* Apply and store the configuration that the host requested, if there is one. */
static void apply(void)
{
	struct pnc_configure next, last = radio_settings();
	bool pending, other_role, other_interval;

	k_mutex_lock(&lock, K_FOREVER);
	next = requested;
	pending = request_pending;
	request_pending = false;
	k_mutex_unlock(&lock);
	if (!pending) {
		return;
	}
	complete(&next, &last);
	next.peer = 0;
	other_role = next.role != last.role;
	other_interval = next.interval_us != last.interval_us;
	radio_settings_set(&next);
	exclude();
	store_save(&next);
	security_configured();
	if (other_role) {
		security_open_window();
		radio_disconnect_all();
	} else {
		change_all(other_interval);
	}
}

/* Request the encryption of a connection, by pairing if there is no bond. */
static bool encrypt(struct bt_conn *conn, bt_security_t level)
{
	int error = bt_conn_set_security(conn, level);

	return error == -ENOTCONN ? false : fault_check(FAULT_ENCRYPT, error);
}

/* Pair again with a peer that has lost its key. The stack keeps the old key until the new one exists, and does not let
 * "just works" replace a key that was made out of band. */
static bool force_repair(struct bt_conn *conn)
{
	return encrypt(conn, BT_SECURITY_L2 | BT_SECURITY_FORCE_PAIR);
}

/* Return for how long a connection may exist, or exist after its pairing, without being up, ms. */
static int64_t auth_timeout_ms(const struct radio_link *link)
{
	bool pairs = atomic_test_bit(link->flags, LINK_PAIRING);

	return (pairs ? CONFIG_PNC_PAIRING_TIMEOUT_S : CONFIG_PNC_AUTH_TIMEOUT_S) * MSEC_PER_SEC;
}

/* Take the next steps that a connection is ready for. */
static void advance(uint8_t peer, struct bt_conn *conn)
{
	struct radio_link *link = &radio_links[peer];
	const bt_addr_le_t *address = bt_conn_get_dst(conn);
	bool central = radio_role() == PNC_ROLE_EDGE;
	bool up = atomic_test_bit(link->flags, LINK_UP);

	if (atomic_test_bit(link->flags, LINK_END_REFUSED)) {
		radio_disconnect(conn, BT_HCI_ERR_REMOTE_USER_TERM_CONN);
	}
	if (!atomic_test_and_set_bit(link->flags, LINK_BEGUN)) {
		if (security_refuse_if_full(address)) {
			radio_disconnect(conn, BT_HCI_ERR_AUTH_FAIL);
			return;
		}
		radio_parameters_begin(link, conn);
		if (central && !encrypt(conn, BT_SECURITY_L2)) {
			radio_disconnect(conn, BT_HCI_ERR_AUTH_FAIL);
			return;
		}
	}
	radio_parameters_request(link, conn);
	if (k_uptime_get() - link->held_ms > HELD_MOST_MS) {
		release(link);
	}
	if (atomic_test_and_clear_bit(link->flags, LINK_STALE_KEY) &&
	    (!central || !security_may_pair(address) || !force_repair(conn))) {
		radio_disconnect(conn, BT_HCI_ERR_AUTH_FAIL);
		return;
	}
	/* A bond is not enough: the configuration may name another peer, even if it did not when the connection began.
	 */
	atomic_set_bit_to(link->flags, LINK_EXCLUDED, !security_allows(address));
	if (atomic_test_bit(link->flags, LINK_SECURE) && atomic_test_bit(link->flags, LINK_EXCLUDED)) {
		radio_disconnect(conn, BT_HCI_ERR_AUTH_FAIL);
		return;
	}
	if (atomic_test_bit(link->flags, LINK_SECURE) && atomic_test_and_clear_bit(link->flags, LINK_PAIRING)) {
		link->since_ms = k_uptime_get();
	}
	if (central && atomic_test_bit(link->flags, LINK_SECURE) &&
	    !atomic_test_and_set_bit(link->flags, LINK_DISCOVERED)) {
		radio_central_discover(link, conn);
	}
	if (!up && atomic_test_bit(link->flags, LINK_SECURE) && atomic_test_bit(link->flags, LINK_SUBSCRIBED)) {
		atomic_set_bit(link->flags, LINK_UP);
		atomic_set_bit(link->flags, LINK_CHANGED);
		if (central && radio_central_starts_shorter()) {
			atomic_set_bit(link->flags, LINK_REQUEST_INTERVAL);
		}
		up = true;
	}
	if (up && atomic_test_and_clear_bit(link->flags, LINK_CHANGED)) {
		struct pnc_radio_link state = radio_parameters_of(conn);

		board_radio_up(peer, &state);
		if (radio_link_of(conn) != peer) { /* it has ended meanwhile, and that was reported too early */
			board_radio_down(peer, BT_HCI_ERR_UNSPECIFIED);
		}
	}
	if (!up && k_uptime_get() - link->since_ms > auth_timeout_ms(link) - END_MS) {
		radio_disconnect(conn, BT_HCI_ERR_AUTH_FAIL);
	}
}

/* Return true if an unauthenticated peer occupies a camera's only slot, although its connection should have ended. */
static bool is_slot_stuck(void)
{
	const struct radio_link *link = &radio_links[0];

	return radio_role() == PNC_ROLE_CAMERA && link->conn != NULL && !atomic_test_bit(link->flags, LINK_UP) &&
	       k_uptime_get() - link->since_ms > auth_timeout_ms(link);
}

/* Without a key no board can pair, but those that have paired are served. The stack tries to make one only when it
 * starts. */
static void make_missing_key(void)
{
	int failures = radio_key_failures();

	if (failures == 0 || radio_links_up() > 0) {
		return;
	}
	if (failures == 1) {
		restart_stack();
	} else { /* what keeps it from that outlives the stack */
		supervision_request_reset(PNC_RESET_KIND_FIRMWARE);
	}
}

/* Request another PHY for a camera's connection, if the core chooses one. Faster ones are refused by a peer that does
 * not accept them; the core then waits longer and longer. */
static void choose_phy(struct radio_link *link)
{
	uint8_t phy;

	if (!atomic_test_bit(link->flags, LINK_UP) || atomic_test_bit(link->flags, LINK_REQUEST_PHY)) {
		return;
	}
	phy = board_radio_phy(link->rssi_dbm);
	if (phy != PNC_PHY_KEEP) {
		radio_parameters_choose_phy(link, phy);
	}
}

/* Return true if this board chooses the PHY of its connection. */
static bool chooses_phy(void)
{
	return radio_role() == PNC_ROLE_CAMERA && radio_settings().phy == PNC_PHY_AUTO;
}

/* Measure the RSSI of every connection, once every RSSI_EVERY_MS, and more often where the PHY depends on it. */
static void measure(void)
{
	static int64_t measured_ms;
	bool chooses = chooses_phy();

	if (k_uptime_get() - measured_ms < (chooses ? RSSI_EVERY_AUTO_MS : RSSI_EVERY_MS)) {
		return;
	}
	measured_ms = k_uptime_get();
	for (uint8_t i = 0; i < PNC_PEERS; i++) {
		struct bt_conn *conn = radio_link_ref(i);

		if (conn != NULL) {
			radio_links[i].rssi_dbm = radio_parameters_rssi_dbm(conn);
			if (chooses) {
				choose_phy(&radio_links[i]);
			}
			bt_conn_unref(conn);
		}
	}
}

void radio_process(int32_t wait_ms)
{
	radio_wait(chooses_phy() ? MIN(wait_ms, RSSI_EVERY_AUTO_MS) : wait_ms);
	if (!enabled) {
		watchdog_feed(WATCHDOG_SENDER); /* its thread was not started */
		watchdog_feed(WATCHDOG_RX);
		if (k_uptime_get() > CONFIG_PNC_FATAL_RESET_S * MSEC_PER_SEC) {
			supervision_request_reset(PNC_RESET_KIND_FIRMWARE); /* never refused */
		}
		return;
	}
	radio_rx_watch_probe();
	apply();
	security_process();
	for (uint8_t i = 0; i < PNC_PEERS; i++) {
		struct bt_conn *conn = radio_link_ref(i);

		if (conn != NULL) {
			advance(i, conn);
			bt_conn_unref(conn);
		}
	}
	radio_sender_check();
	if (is_slot_stuck()) {
		restart_stack();
	}
	make_missing_key();
	radio_peripheral_process();
	radio_central_process();
	measure();
}
