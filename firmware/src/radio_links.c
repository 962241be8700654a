/* The table of connections: each has a slot, whose number is its peer. */
#include <errno.h>

#include <zephyr/bluetooth/hci.h>

#include "faults.h"
#include "radio_internal.h"

/* If the end of a connection is refused for so long, that is a fault, and another one after each such time. */
#define END_REFUSED_MS 1000

struct radio_link radio_links[PNC_PEERS];

static struct k_spinlock settings_lock; /* of the next line */
static struct pnc_configure settings;

static K_MUTEX_DEFINE(lock); /* of `conn` and `address` in radio_links */
static K_SEM_DEFINE(notified, 0, 1);

struct pnc_configure radio_settings(void)
{
	k_spinlock_key_t key = k_spin_lock(&settings_lock);
	struct pnc_configure now = settings;

	k_spin_unlock(&settings_lock, key);
	return now;
}

uint8_t radio_role(void)
{
	return radio_settings().role;
}

void radio_settings_set(const struct pnc_configure *next)
{
	k_spinlock_key_t key = k_spin_lock(&settings_lock);

	settings = *next;
	k_spin_unlock(&settings_lock, key);
}

void radio_notify(void)
{
	k_sem_give(&notified);
}

void radio_wait(int32_t wait_ms)
{
	k_sem_take(&notified, K_MSEC(wait_ms)); /* or the time is over */
}

/* Return the slot for a connection with that address: the one it had before, else one never used, else any free one. */
static struct radio_link *slot_for(const bt_addr_le_t *address)
{
	struct radio_link *unused = NULL, *free = NULL;
	uint8_t slots = radio_role() == PNC_ROLE_EDGE ? PNC_PEERS : 1;

	for (uint8_t i = 0; i < slots; i++) {
		struct radio_link *link = &radio_links[i];

		if (link->conn != NULL) {
			continue;
		}
		if (bt_addr_le_cmp(&link->address, address) == 0) {
			return link;
		}
		if (unused == NULL && bt_addr_le_cmp(&link->address, BT_ADDR_LE_ANY) == 0) {
			unused = link;
		}
		if (free == NULL) {
			free = link;
		}
	}
	return unused != NULL ? unused : free;
}

bool radio_link_open(struct bt_conn *conn)
{
	struct radio_link *link = slot_for(bt_conn_get_dst(conn));

	if (link == NULL) {
		return false;
	}
	k_mutex_lock(&lock, K_FOREVER);
	bt_addr_le_copy(&link->address, bt_conn_get_dst(conn));
	link->since_ms = k_uptime_get();
	link->rssi_dbm = 127;
	link->phy = PNC_PHY_KEEP;
	link->length_us = 0;
	atomic_clear(link->flags);
	link->conn = bt_conn_ref(conn);
	k_mutex_unlock(&lock);
	return true;
}

uint8_t radio_link_close(struct bt_conn *conn)
{
	uint8_t peer = radio_link_of(conn);

	if (peer == PNC_PEERS) {
		return peer;
	}
	k_mutex_lock(&lock, K_FOREVER);
	radio_links[peer].conn = NULL;
	/* It may differ from the address at the start: pairing reveals the identity behind a private address. */
	bt_addr_le_copy(&radio_links[peer].address, bt_conn_get_dst(conn));
	k_mutex_unlock(&lock);
	bt_conn_unref(conn);
	return peer;
}

struct bt_conn *radio_link_ref(uint8_t peer)
{
	struct bt_conn *conn;

	if (radio_links[peer].conn == NULL) { /* most slots are free, and the sender looks at all for each packet */
		return NULL;
	}
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

void radio_link_note(struct bt_conn *conn, int flag)
{
	uint8_t peer = radio_link_of(conn);

	if (peer < PNC_PEERS) {
		atomic_set_bit(radio_links[peer].flags, flag);
		radio_notify();
	}
}

uint8_t radio_connected(void)
{
	uint8_t connected = 0;

	for (uint8_t i = 0; i < PNC_PEERS; i++) {
		connected += radio_links[i].conn != NULL;
	}
	return connected;
}

bool radio_has_free_slot(void)
{
	return radio_connected() < PNC_PEERS;
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

bool radio_any(int flag)
{
	bool found = false;

	for (uint8_t i = 0; i < PNC_PEERS; i++) {
		found = found || (radio_links[i].conn != NULL && atomic_test_bit(radio_links[i].flags, flag));
	}
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

bool radio_conn_is_up(struct bt_conn *conn)
{
	struct bt_conn_info info;

	return bt_conn_get_info(conn, &info) == 0 && info.state == BT_CONN_STATE_CONNECTED;
}

void radio_disconnect(struct bt_conn *conn, uint8_t reason)
{
	int error = bt_conn_disconnect(conn, reason);
	uint8_t peer = radio_link_of(conn);
	uint32_t now_ms = k_uptime_get_32();

	if (error == 0) {
		fault_end(FAULT_DISCONNECT);
	}
	if (error == 0 || !radio_conn_is_up(conn)) {
		return;
	}
	if (peer == PNC_PEERS) {
		fault_note(FAULT_DISCONNECT, error);
		return;
	}
	/* The controller may have dropped the connection already, which refuses the command, while the event that tells
	 * so is still on its way. The main thread tries again. */
	if (!atomic_test_and_set_bit(radio_links[peer].flags, LINK_END_REFUSED)) {
		atomic_set(&radio_links[peer].refused_ms, (atomic_val_t)now_ms);
	} else if (now_ms - (uint32_t)atomic_get(&radio_links[peer].refused_ms) >= END_REFUSED_MS) {
		atomic_set(&radio_links[peer].refused_ms, (atomic_val_t)now_ms);
		fault_note(FAULT_DISCONNECT, error);
	}
}

void radio_disconnect_all(void)
{
	for (uint8_t i = 0; i < PNC_PEERS; i++) {
		struct bt_conn *conn = radio_link_ref(i);

		if (conn != NULL) {
			radio_disconnect(conn, BT_HCI_ERR_REMOTE_USER_TERM_CONN);
			bt_conn_unref(conn);
		}
	}
}
