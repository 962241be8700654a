/* Decides who may pair and with whom packets are exchanged. The main thread opens and closes the pairing window. The
 * stack's callbacks run in its own threads. */
#include <errno.h>
#include <string.h>

#include <zephyr/bluetooth/hci.h>
#include <zephyr/logging/log.h>

#include "faults.h"
#include "radio_internal.h"
#include "zephyr_compat.h"

LOG_MODULE_REGISTER(pnc_security, CONFIG_PNC_LOG_LEVEL);

/* The window in which unknown boards may pair. */
struct window {
	int64_t until_ms;  /* closed from then on */
	uint8_t method;    /* PNC_PAIR_METHOD_ */
	bool theirs;       /* out of band: we have the remote board's values; otherwise it has ours */
	bt_addr_le_t only; /* the only board that may pair; BT_ADDR_LE_ANY: any board */
};

static struct k_spinlock lock; /* of the next two lines */
static struct window window;
static uint8_t paired, failed, bonds;

/* Out of band: the values that the stack uses while boards pair. The main thread changes them while the window is
 * closed.
 */
static struct bt_le_oob ours;
static struct bt_le_oob_sc_data their_values;

static atomic_t open_requested; /* by the button */
static atomic_t changed;        /* a report to the host is due */
static atomic_t known;          /* counts changes to the known boards */

/* Requests of the host, to be carried out in their order. */
K_MSGQ_DEFINE(requests, sizeof(struct pnc_pair), 4, 4);

/* Return a consistent copy of the window. */
static struct window window_now(void)
{
	k_spinlock_key_t key = k_spin_lock(&lock);
	struct window now = window;

	k_spin_unlock(&lock, key);
	return now;
}

static void set_window(const struct window *next)
{
	k_spinlock_key_t key = k_spin_lock(&lock);

	window = *next;
	k_spin_unlock(&lock, key);
	atomic_set(&changed, 1);
}

void radio_open_pairing(void)
{
	atomic_set(&open_requested, 1);
	radio_notify();
}

bool radio_pair(const struct pnc_pair *pair)
{
	bool accepted = k_msgq_put(&requests, pair, K_NO_WAIT) == 0;

	radio_notify();
	return accepted;
}

static bt_addr_le_t address_of(uint8_t type, const uint8_t *bytes)
{
	bt_addr_le_t address = {.type = type == 0 ? BT_ADDR_LE_PUBLIC : BT_ADDR_LE_RANDOM};

	memcpy(address.a.val, bytes, sizeof(address.a.val));
	return address;
}

static bool is_zero(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] != 0) {
			return false;
		}
	}
	return true;
}

static void close_window(void)
{
	static const struct window closed;

	set_window(&closed);
	pnc_oob_set_flag(false);
}

/* Make values to show out of band. The stack would wait for its key without end (3.3), or for longer than the watchdog.
 */
static int own_values(void)
{
	return radio_key_wait() ? bt_le_oob_get_local(BT_ID_DEFAULT, &ours) : -EADDRNOTAVAIL;
}

static void open_window(const struct pnc_pair *pair)
{
	uint16_t seconds = pair->window_s == 0 ? CONFIG_PNC_PAIRING_WINDOW_S : pair->window_s;
	struct window next = {
		.until_ms = k_uptime_get() + seconds * MSEC_PER_SEC,
		.method = pair->method,
		.theirs = !is_zero(pair->random, sizeof(pair->random)),
	};

	close_window();
	if (!is_zero(pair->address, sizeof(pair->address))) {
		next.only = address_of(pair->address_type, pair->address);
	}
	memcpy(their_values.r, pair->random, sizeof(their_values.r));
	memcpy(their_values.c, pair->confirm, sizeof(their_values.c));
	if (next.method == PNC_PAIR_METHOD_OUT_OF_BAND && !next.theirs &&
	    !fault_check(FAULT_OUT_OF_BAND, own_values())) {
		return; /* the answer to the host says that the window is closed */
	}
	pnc_oob_set_flag(next.method == PNC_PAIR_METHOD_OUT_OF_BAND && next.theirs);
	set_window(&next);
}

void security_open_window(void)
{
	open_window(&(struct pnc_pair){.method = PNC_PAIR_METHOD_JUST_WORKS});
}

static void forget(const struct pnc_pair *pair)
{
	bt_addr_le_t address = address_of(pair->address_type, pair->address);
	bool all = is_zero(pair->address, sizeof(pair->address));

	int error = bt_unpair(BT_ID_DEFAULT, all ? NULL : &address);

	if (error != 0) {
		fault_note(PNC_ERROR_CODE_SETTINGS, error);
	} else {
		fault_end(PNC_ERROR_CODE_BONDS_FULL);
	}
	atomic_inc(&known);
}

static void carry_out(const struct pnc_pair *pair)
{
	if (pair->action == PNC_PAIR_ACTION_OPEN) {
		open_window(pair);
	} else if (pair->action == PNC_PAIR_ACTION_CLOSE) {
		close_window();
	} else if (pair->action == PNC_PAIR_ACTION_FORGET) {
		forget(pair);
	}
	atomic_set(&changed, 1);
}

static void count_bond(const struct bt_bond_info *bond, void *user)
{
	uint8_t *count = user;

	ARG_UNUSED(bond);
	*count += 1;
}

void security_process(void)
{
	struct pnc_pair pair;
	struct window now;
	uint8_t count = 0;

	if (atomic_clear(&open_requested) != 0) {
		security_open_window();
	}
	while (k_msgq_get(&requests, &pair, K_NO_WAIT) == 0) {
		carry_out(&pair);
	}
	now = window_now();
	if (now.until_ms != 0 && k_uptime_get() >= now.until_ms) {
		close_window();
	}
	if (atomic_clear(&changed) != 0) {
		bt_foreach_bond(BT_ID_DEFAULT, count_bond, &count);
		bonds = count;
		board_pairing_changed();
	}
}

void radio_pairing(struct pnc_pairing *pairing)
{
	k_spinlock_key_t key = k_spin_lock(&lock);
	int64_t left_ms = window.until_ms - k_uptime_get();
	bool out_of_band = window.method == PNC_PAIR_METHOD_OUT_OF_BAND;
	bt_addr_le_t own = {0};
	size_t one = 1;

	pairing->bonds = bonds;
	pairing->paired = paired;
	pairing->failed = failed;
	if (left_ms > 0) {
		pairing->open = 1;
		pairing->method = window.method;
		pairing->left_s = (left_ms + MSEC_PER_SEC - 1) / MSEC_PER_SEC;
	}
	if (left_ms > 0 && out_of_band && !window.theirs) {
		memcpy(pairing->random, ours.le_sc_data.r, sizeof(pairing->random));
		memcpy(pairing->confirm, ours.le_sc_data.c, sizeof(pairing->confirm));
	}
	k_spin_unlock(&lock, key);
	bt_id_get(&own, &one);
	pairing->address_type = own.type == BT_ADDR_LE_PUBLIC ? 0 : 1;
	memcpy(pairing->address, own.a.val, sizeof(pairing->address));
}

bool security_pairing_open(void)
{
	return k_uptime_get() < window_now().until_ms;
}

void security_configured(void)
{
	atomic_inc(&known);
}

uint32_t security_known_version(void)
{
	return atomic_get(&known);
}

/* Write the peer that the configuration names to `address`. Return false if it names none. */
static bool configured(bt_addr_le_t *address)
{
	struct pnc_configure settings = radio_settings();

	if (is_zero(settings.address, sizeof(settings.address))) {
		return false;
	}
	*address = address_of(settings.address_type, settings.address);
	return true;
}

bool security_may_pair(const bt_addr_le_t *address)
{
	struct window now = window_now();
	bt_addr_le_t only;

	if (k_uptime_get() >= now.until_ms || (configured(&only) && bt_addr_le_cmp(&only, address) != 0)) {
		return false;
	}
	return bt_addr_le_cmp(&now.only, BT_ADDR_LE_ANY) == 0 || bt_addr_le_cmp(&now.only, address) == 0;
}

struct visit {
	void (*found)(const bt_addr_le_t *address, void *user);
	void *user;
};

static void visit_bond(const struct bt_bond_info *bond, void *user)
{
	struct visit *visit = user;

	visit->found(&bond->addr, visit->user);
}

void security_each_known(void (*found)(const bt_addr_le_t *address, void *user), void *user)
{
	struct visit visit = {.found = found, .user = user};
	bt_addr_le_t only;

	if (configured(&only)) {
		found(&only, user);
	} else {
		bt_foreach_bond(BT_ID_DEFAULT, visit_bond, &visit);
	}
}

struct search {
	const bt_addr_le_t *address;
	bool found;
};

static void compare(const bt_addr_le_t *address, void *user)
{
	struct search *search = user;

	search->found = search->found || bt_addr_le_cmp(address, search->address) == 0;
}

bool security_allows(const bt_addr_le_t *address)
{
	struct search search = {.address = address};

	security_each_known(compare, &search);
	return search.found || security_may_pair(address);
}

/* Decide whether a board may pair. Out of band, one of the two boards must have the other's values, or the stack would
 * pair without any check. */
static enum bt_security_err on_pairing(struct bt_conn *conn, const struct bt_conn_pairing_feat *const features)
{
	struct window now = window_now();

	if (security_may_pair(bt_conn_get_dst(conn)) &&
	    (now.method != PNC_PAIR_METHOD_OUT_OF_BAND || now.theirs || features->oob_data_flag != 0)) {
		if (bt_conn_get_security(conn) < BT_SECURITY_L2) { /* pairing again gives no peer more time */
			radio_link_note(conn, LINK_PAIRING);
		}
		return BT_SECURITY_ERR_SUCCESS;
	}
	return BT_SECURITY_ERR_PAIR_NOT_ALLOWED;
}

static void on_out_of_band(struct bt_conn *conn, struct bt_conn_oob_info *info)
{
	struct window now = window_now();
	bool out_of_band = now.method == PNC_PAIR_METHOD_OUT_OF_BAND && info->type == BT_CONN_OOB_LE_SC;

	if (!out_of_band ||
	    bt_le_oob_set_sc_data(conn, now.theirs ? NULL : &ours.le_sc_data, now.theirs ? &their_values : NULL) != 0) {
		radio_disconnect(conn, BT_HCI_ERR_AUTH_FAIL);
	}
}

static void on_paired(struct bt_conn *conn, bool bonded)
{
	k_spinlock_key_t key = k_spin_lock(&lock);

	ARG_UNUSED(conn);
	ARG_UNUSED(bonded);
	paired++;
	if (window.method == PNC_PAIR_METHOD_OUT_OF_BAND) {
		window.until_ms = 1; /* closed: its values are for one pairing only */
	}
	k_spin_unlock(&lock, key);
	atomic_inc(&known);
	atomic_set(&changed, 1);
	LOG_INF("paired");
	radio_notify();
}

static void on_failed(struct bt_conn *conn, enum bt_security_err reason)
{
	k_spinlock_key_t key = k_spin_lock(&lock);

	ARG_UNUSED(conn);
	failed++;
	k_spin_unlock(&lock, key);
	LOG_WRN("pairing failed: %d", (int)reason);
	atomic_set(&changed, 1);
	radio_notify();
}

bool security_refuse_if_full(const bt_addr_le_t *address)
{
	struct search search = {.address = address};
	struct visit visit = {.found = compare, .user = &search};
	uint8_t count = 0;

	bt_foreach_bond(BT_ID_DEFAULT, count_bond, &count);
	bt_foreach_bond(BT_ID_DEFAULT, visit_bond, &visit);
	if (count < CONFIG_BT_MAX_PAIRED || search.found) {
		return false;
	}
	fault_note(PNC_ERROR_CODE_BONDS_FULL, count);
	close_window();
	on_failed(NULL, BT_SECURITY_ERR_PAIR_NOT_ALLOWED);
	return true;
}

void security_stack_restarted(void)
{
	struct window now = window_now();

	if (now.method == PNC_PAIR_METHOD_OUT_OF_BAND && !now.theirs) {
		close_window();
		on_failed(NULL, BT_SECURITY_ERR_UNSPECIFIED);
	}
}

bool security_start(void)
{
	static const struct bt_conn_auth_cb callbacks = {
		.pairing_accept = on_pairing,
		.oob_data_request = on_out_of_band,
	};
	static struct bt_conn_auth_info_cb results = {.pairing_complete = on_paired, .pairing_failed = on_failed};

	if (!fault_check(PNC_ERROR_CODE_PAIRING, bt_conn_auth_cb_register(&callbacks)) ||
	    !fault_check(PNC_ERROR_CODE_PAIRING, bt_conn_auth_info_cb_register(&results))) {
		return false;
	}
	atomic_set(&changed, 1);
	return true;
}
