/* Connections: where each has its place, and what brings it forward until packets flow. */
#include "radio_parts.h"

#include <zephyr/bluetooth/hci.h>
#include <zephyr/settings/settings.h>

#include "care.h"
#include "store.h"

#define RSSI_EVERY_MS 1000
#define END_MS 500 /* for connections to end */
#define STRANGER_MS (CONFIG_PNC_STRANGER_S * MSEC_PER_SEC)

struct radio_link radio_links[PNC_PEERS];
struct pnc_configure radio_settings;

static K_MUTEX_DEFINE(lock); /* of radio_links[].conn and of `asked` */
static K_SEM_DEFINE(attend, 0, 1);
static struct pnc_configure asked; /* the last configuration that the host asked for */
static bool asked_new;
static bool enabled;

void radio_attend(void)
{
	k_sem_give(&attend);
}

struct bt_conn *radio_link_ref(uint8_t peer)
{
	struct bt_conn *conn;

	k_mutex_lock(&lock, K_FOREVER);
	conn = radio_links[peer].conn;
	if (conn != NULL) {
		conn = bt_conn_ref(conn);
	}
	k_mutex_unlock(&lock);
	return conn;
}

uint8_t radio_link_of(const struct bt_conn *conn)
{
	for (uint8_t i = 0; i < PNC_PEERS; i++) {
		if (conn != NULL && radio_links[i].conn == conn) {
			return i;
		}
	}
	return PNC_PEERS;
}

bool radio_has_place(void)
{
	for (uint8_t i = 0; i < PNC_PEERS; i++) {
		if (radio_links[i].conn == NULL) {
			return true;
		}
	}
	return false;
}

bool radio_is_connected(const bt_addr_le_t *address)
{
	bool found = false;

	k_mutex_lock(&lock, K_FOREVER);
	for (uint8_t i = 0; i < PNC_PEERS; i++) {
		struct bt_conn *conn = radio_links[i].conn;

		found = found || (conn != NULL && bt_addr_le_cmp(bt_conn_get_dst(conn), address) == 0);
	}
	k_mutex_unlock(&lock);
	return found;
}

int radio_links_up(void)
{
	int up = 0;

	for (uint8_t i = 0; i < PNC_PEERS; i++) {
		up += radio_links[i].conn != NULL && atomic_test_bit(radio_links[i].flags, LINK_UP);
	}
	return up;
}

int8_t radio_rssi_dbm(uint8_t peer)
{
	return radio_links[peer].conn != NULL ? radio_links[peer].rssi_dbm : 127;
}

uint32_t radio_capabilities(void)
{
	return PNC_CAPABILITY_PHY_2M | (IS_ENABLED(CONFIG_BT_CTLR_PHY_CODED) ? PNC_CAPABILITY_PHY_CODED : 0);
}

/* The place for a connection with that address: the one it had, else one never used, else any free one. */
static struct radio_link *place_for(const bt_addr_le_t *address)
{
	struct radio_link *fresh = NULL, *free = NULL;
	uint8_t places = radio_settings.role == PNC_ROLE_EDGE ? PNC_PEERS : 1;

	for (uint8_t i = 0; i < places; i++) {
		struct radio_link *link = &radio_links[i];

		if (link->conn != NULL) {
			continue;
		}
		if (bt_addr_le_cmp(&link->address, address) == 0) {
			return link;
		}
		if (fresh == NULL && bt_addr_le_cmp(&link->address, BT_ADDR_LE_ANY) == 0) {
			fresh = link;
		}
		if (free == NULL) {
			free = link;
		}
	}
	return fresh != NULL ? fresh : free;
}

static bool role_fits(struct bt_conn *conn)
{
	struct bt_conn_info info;

	if (bt_conn_get_info(conn, &info) != 0) {
		return false;
	}
	return info.role == BT_CONN_ROLE_CENTRAL ? radio_settings.role == PNC_ROLE_EDGE
						 : radio_settings.role == PNC_ROLE_CAMERA;
}

static void on_connected(struct bt_conn *conn, uint8_t error)
{
	struct radio_link *link;

	radio_central_attempt_ended();
	radio_peripheral_advertising_ended();
	radio_attend();
	if (error != 0) {
		return;
	}
	link = place_for(bt_conn_get_dst(conn));
	if (link == NULL || !role_fits(conn)) {
		(void)bt_conn_disconnect(conn, BT_HCI_ERR_REMOTE_USER_TERM_CONN);
		return;
	}
	k_mutex_lock(&lock, K_FOREVER);
	bt_addr_le_copy(&link->address, bt_conn_get_dst(conn));
	link->since_ms = k_uptime_get();
	link->rssi_dbm = 127;
	atomic_clear(link->flags);
	link->conn = bt_conn_ref(conn);
	k_mutex_unlock(&lock);
}

static void on_disconnected(struct bt_conn *conn, uint8_t reason)
{
	uint8_t peer = radio_link_of(conn);

	radio_attend();
	if (peer == PNC_PEERS) {
		return;
	}
	k_mutex_lock(&lock, K_FOREVER);
	radio_links[peer].conn = NULL;
	/* Not always the one that it began with: pairing tells the identity behind a private address. */
	bt_addr_le_copy(&radio_links[peer].address, bt_conn_get_dst(conn));
	k_mutex_unlock(&lock);
	bt_conn_unref(conn);
	board_radio_down(peer, reason);
}

static void note(struct bt_conn *conn, int flag)
{
	uint8_t peer = radio_link_of(conn);

	if (peer < PNC_PEERS) {
		atomic_set_bit(radio_links[peer].flags, flag);
		radio_attend();
	}
}

static void on_security(struct bt_conn *conn, bt_security_t level, enum bt_security_err error)
{
	if (error == BT_SECURITY_ERR_PIN_OR_KEY_MISSING) {
		note(conn, LINK_STALE_KEY);
	} else if (error == BT_SECURITY_ERR_SUCCESS && level >= BT_SECURITY_L2) {
		note(conn, LINK_SECURE);
	} else {
		(void)bt_conn_disconnect(conn, BT_HCI_ERR_AUTH_FAIL);
	}
}

/* The edge has an interval for all its cameras; none of them may ask for another. */
static bool on_parameters_wish(struct bt_conn *conn, struct bt_le_conn_param *wish)
{
	ARG_UNUSED(conn);
	ARG_UNUSED(wish);
	return radio_settings.role != PNC_ROLE_EDGE;
}

static void on_parameters(struct bt_conn *conn, uint16_t interval, uint16_t latency, uint16_t timeout)
{
	ARG_UNUSED(interval);
	ARG_UNUSED(latency);
	ARG_UNUSED(timeout);
	note(conn, LINK_CHANGED);
}

static void on_phy(struct bt_conn *conn, struct bt_conn_le_phy_info *phy)
{
	ARG_UNUSED(phy);
	note(conn, LINK_CHANGED);
}

static void on_mtu(struct bt_conn *conn, uint16_t tx, uint16_t rx)
{
	ARG_UNUSED(tx);
	ARG_UNUSED(rx);
	note(conn, LINK_CHANGED);
}

BT_CONN_CB_DEFINE(callbacks) = {
	.connected = on_connected,
	.disconnected = on_disconnected,
	.security_changed = on_security,
	.le_param_req = on_parameters_wish,
	.le_param_updated = on_parameters,
	.le_phy_updated = on_phy,
};

static struct bt_gatt_cb gatt_callbacks = {.att_mtu_updated = on_mtu};

/* The link layer waits until the peer has heard a goodbye, for as long as the peer said when it connected: one that has
 * fallen silent would keep a camera's only place for up to 32 s. Nothing but a new start of host and controller ends
 * that earlier; there is no other connection that it could harm. */
static void start_anew(void)
{
	bt_addr_le_t own = {0};
	size_t one = 1;
	int error;

	bt_id_get(&own, &one);
	error = bt_disable();
	(void)bt_id_create(&own, NULL); /* else a host without an address from its controller makes up another one */
	if (error != 0 || bt_enable(NULL) != 0 || settings_load_subtree("bt") != 0) {
		care_error();
		(void)care_ask_reset(PNC_RESET_KIND_FIRMWARE);
	}
	security_began_anew();
}

uint8_t radio_start(void)
{
	enabled = bt_enable(NULL) == 0;
	store_load(&radio_settings);
	if (!enabled) {
		care_error();
		return PNC_ROLE_NONE;
	}
	bt_gatt_cb_register(&gatt_callbacks);
	security_start();
	radio_sender_start();
	return radio_settings.role;
}

/* What a configuration leaves open stays as it was. */
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

	if (!enabled || (coded && !IS_ENABLED(CONFIG_BT_CTLR_PHY_CODED)) ||
	    (power_dbm != 127 && (power_dbm < -40 || power_dbm > 8))) {
		return false;
	}
	k_mutex_lock(&lock, K_FOREVER);
	last = asked;
	asked = *configuration;
	if (asked_new) { /* the main thread has not seen the last one */
		complete(&asked, &last);
	}
	asked_new = true;
	k_mutex_unlock(&lock);
	radio_attend();
	return true;
}

static void disconnect_all(void)
{
	for (uint8_t i = 0; i < PNC_PEERS; i++) {
		struct bt_conn *conn = radio_link_ref(i);

		if (conn != NULL) {
			(void)bt_conn_disconnect(conn, BT_HCI_ERR_REMOTE_USER_TERM_CONN);
			bt_conn_unref(conn);
		}
	}
}

void radio_end(void)
{
	int64_t until_ms = k_uptime_get() + END_MS;
	bool connected = enabled;

	radio_settings.role = PNC_ROLE_NONE; /* nothing begins anew; the store keeps what it has */
	if (enabled) {
		radio_peripheral_manage();
		radio_central_manage();
		disconnect_all();
	}
	while (connected && k_uptime_get() < until_ms) {
		k_msleep(1);
		connected = false;
		for (uint8_t i = 0; i < PNC_PEERS; i++) {
			connected = connected || radio_links[i].conn != NULL;
		}
	}
}

/* Other settings for the connections there are. Another interval for several of them at a time can stop the controller
 * of Zephyr 3.3: they end, and begin again with it. */
static void change_all(bool other_interval)
{
	int connected = 0;

	for (uint8_t i = 0; i < PNC_PEERS; i++) {
		connected += radio_links[i].conn != NULL;
	}
	if (other_interval && connected > 1) {
		disconnect_all();
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

static void apply(void)
{
	struct pnc_configure next;
	bool other_role, other_interval;

	k_mutex_lock(&lock, K_FOREVER);
	next = asked;
	other_role = asked_new && next.role != radio_settings.role;
	if (!asked_new) {
		k_mutex_unlock(&lock);
		return;
	}
	asked_new = false;
	k_mutex_unlock(&lock);

	complete(&next, &radio_settings);
	next.peer = 0;
	other_interval = next.interval_us != radio_settings.interval_us;
	radio_settings = next;
	store_save(&radio_settings);
	security_configured();
	if (other_role) {
		security_open_window();
		disconnect_all();
	} else {
		change_all(other_interval);
	}
}

/* The stack keeps the old key until the new one is there, and does not let "just works" replace one that was made out
 * of band. */
static int pair_anew(struct bt_conn *conn)
{
	return bt_conn_set_security(conn, BT_SECURITY_L2 | BT_SECURITY_FORCE_PAIR);
}

static void advance(uint8_t peer, struct bt_conn *conn)
{
	struct radio_link *link = &radio_links[peer];
	const bt_addr_le_t *address = bt_conn_get_dst(conn);
	bool central = radio_settings.role == PNC_ROLE_EDGE;
	bool up = atomic_test_bit(link->flags, LINK_UP);

	if (!atomic_test_and_set_bit(link->flags, LINK_BEGUN)) {
		radio_parameters_begin(link, conn);
		if (central) {
			(void)bt_conn_set_security(conn, BT_SECURITY_L2);
		}
	}
	radio_parameters_ask(link, conn);
	if (atomic_test_and_clear_bit(link->flags, LINK_STALE_KEY) &&
	    (!central || !security_may_pair(address) || pair_anew(conn) != 0)) {
		(void)bt_conn_disconnect(conn, BT_HCI_ERR_AUTH_FAIL);
		return;
	}
	/* A bond alone is not enough: the configuration may name another peer, also since the connection began. */
	if (atomic_test_bit(link->flags, LINK_SECURE) && !security_allows(address)) {
		(void)bt_conn_disconnect(conn, BT_HCI_ERR_AUTH_FAIL);
		return;
	}
	if (central && atomic_test_bit(link->flags, LINK_SECURE) &&
	    !atomic_test_and_set_bit(link->flags, LINK_DISCOVERED)) {
		radio_central_discover(link, conn);
	}
	if (!up && atomic_test_bit(link->flags, LINK_SECURE) && atomic_test_bit(link->flags, LINK_SUBSCRIBED)) {
		atomic_set_bit(link->flags, LINK_UP);
		atomic_set_bit(link->flags, LINK_CHANGED);
		if (central && radio_central_began_shorter()) {
			atomic_set_bit(link->flags, LINK_ASK_INTERVAL);
		}
		up = true;
	}
	if (up && atomic_test_and_clear_bit(link->flags, LINK_CHANGED)) {
		struct pnc_radio_link state = radio_parameters_of(conn);

		board_radio_up(peer, &state);
		if (radio_link_of(conn) != peer) { /* it ended meanwhile, and the board had been told before */
			board_radio_down(peer, BT_HCI_ERR_UNSPECIFIED);
		}
	}
	if (!up && k_uptime_get() - link->since_ms > STRANGER_MS - END_MS) {
		(void)bt_conn_disconnect(conn, BT_HCI_ERR_AUTH_FAIL);
	}
}

/* True if a connection is there that was to end and has not, and that is the only one. */
static bool is_held(void)
{
	const struct radio_link *link = &radio_links[0];

	return radio_settings.role == PNC_ROLE_CAMERA && link->conn != NULL && !atomic_test_bit(link->flags, LINK_UP) &&
	       k_uptime_get() - link->since_ms > STRANGER_MS;
}

static void measure(void)
{
	static int64_t measured_ms;

	if (k_uptime_get() - measured_ms < RSSI_EVERY_MS) {
		return;
	}
	measured_ms = k_uptime_get();
	for (uint8_t i = 0; i < PNC_PEERS; i++) {
		struct bt_conn *conn = radio_link_ref(i);

		if (conn != NULL) {
			radio_links[i].rssi_dbm = radio_parameters_rssi_dbm(conn);
			bt_conn_unref(conn);
		}
	}
}

void radio_manage(int32_t wait_ms)
{
	(void)k_sem_take(&attend, K_MSEC(wait_ms));
	if (!enabled) {
		care_alive(CARE_SENDER); /* it was not started */
		return;
	}
	apply();
	security_manage();
	for (uint8_t i = 0; i < PNC_PEERS; i++) {
		struct bt_conn *conn = radio_link_ref(i);

		if (conn != NULL) {
			advance(i, conn);
			bt_conn_unref(conn);
		}
	}
	if (is_held()) {
		start_anew();
	}
	radio_peripheral_manage();
	radio_central_manage();
	measure();
}
