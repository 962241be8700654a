/* Who may pair, and with whom packets are exchanged. */
#include <string.h>

#include "radio_parts.h"

static int64_t open_until_ms; /* of the pairing window */
static struct k_spinlock lock;

void radio_open_pairing(void)
{
	k_spinlock_key_t key = k_spin_lock(&lock);

	open_until_ms = k_uptime_get() + CONFIG_PNC_PAIRING_WINDOW_S * MSEC_PER_SEC;
	k_spin_unlock(&lock, key);
	radio_attend();
}

bool security_pairing_open(void)
{
	k_spinlock_key_t key = k_spin_lock(&lock);
	bool open = k_uptime_get() < open_until_ms;

	k_spin_unlock(&lock, key);
	return open;
}

/* The peer of the configuration; false if it names none. */
static bool configured(bt_addr_le_t *address)
{
	static const uint8_t none[sizeof(radio_settings.address)];

	if (memcmp(radio_settings.address, none, sizeof(none)) == 0) {
		return false;
	}
	address->type = radio_settings.address_type == 0 ? BT_ADDR_LE_PUBLIC : BT_ADDR_LE_RANDOM;
	memcpy(address->a.val, radio_settings.address, sizeof(none));
	return true;
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
	bt_addr_le_t only;

	security_each_known(compare, &search);
	return search.found || (!configured(&only) && security_pairing_open());
}

static enum bt_security_err on_pairing(struct bt_conn *conn, const struct bt_conn_pairing_feat *const features)
{
	ARG_UNUSED(features);
	if (security_pairing_open() && security_allows(bt_conn_get_dst(conn))) {
		return BT_SECURITY_ERR_SUCCESS;
	}
	return BT_SECURITY_ERR_PAIR_NOT_ALLOWED;
}

void security_start(void)
{
	static const struct bt_conn_auth_cb callbacks = {.pairing_accept = on_pairing};

	(void)bt_conn_auth_cb_register(&callbacks);
}
