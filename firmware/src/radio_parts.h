/* What the parts of the radio share: radio.c (connections, their life), radio_peripheral.c and radio_central.c (the two
 * roles), radio_parameters.c (PHY, data length, power), radio_sender.c (packets), security.c (who may pair).
 *
 * Callbacks of the Bluetooth stack only note what happened and call radio_attend; the main thread acts on it. */
#ifndef PNC_RADIO_PARTS_H
#define PNC_RADIO_PARTS_H

#include <zephyr/bluetooth/bluetooth.h>
#include <zephyr/bluetooth/conn.h>
#include <zephyr/bluetooth/gatt.h>
#include <zephyr/kernel.h>

#include "board_thread.h"
#include "radio.h"

/* A UUID of pnc_wire.h: its 16 bytes, and as the stack takes it. */
#define PNC_UUID_BYTES(...) BT_UUID_128_ENCODE(__VA_ARGS__)
#define PNC_UUID(...) BT_UUID_DECLARE_128(PNC_UUID_BYTES(__VA_ARGS__))

/* What is known of a connection. */
enum {
	LINK_BEGUN,   /* what follows was begun */
	LINK_ASK_PHY, /* to be asked for, until the controller takes it: it refuses during another procedure */
	LINK_ASK_LENGTH,
	LINK_ASK_MTU,
	LINK_ASK_INTERVAL,
	LINK_SECURE,     /* encrypted */
	LINK_DISCOVERED, /* central: the search for our service has begun */
	LINK_SUBSCRIBED, /* notifications are on */
	LINK_UP,         /* the board was told */
	LINK_CHANGED,    /* parameters changed since */
	LINK_SERVED,     /* the sender has seen it */
	LINK_STALE_KEY,  /* the peer has lost the key that we kept */
	LINK_FLAGS
};

struct radio_link {
	struct bt_conn *conn; /* a reference of ours; NULL: free */
	bt_addr_le_t address; /* of the last connection in this place: it gets the place again */
	int64_t since_ms;
	ATOMIC_DEFINE(flags, LINK_FLAGS);
	int8_t rssi_dbm;
	/* central */
	uint16_t to_camera; /* handle of the characteristic that is written */
	struct bt_gatt_subscribe_params subscription;
	struct bt_gatt_discover_params discovery;
	struct bt_gatt_exchange_params exchange;
};

extern struct radio_link radio_links[PNC_PEERS];

/* Role and settings in force; the main thread changes them. */
extern struct pnc_configure radio_settings;

/* The connection in a place, with a reference for the caller to give back; NULL if there is none. */
struct bt_conn *radio_link_ref(uint8_t peer);

/* The place of a connection; PNC_PEERS if it has none. */
uint8_t radio_link_of(const struct bt_conn *conn);

/* True if a place is free for one more connection. */
bool radio_has_place(void);

/* True if that address is connected. */
bool radio_is_connected(const bt_addr_le_t *address);

/* Starts and stops advertising as needed. Main thread. */
void radio_peripheral_manage(void);

/* Advertising has ended with a connection, or an attempt at one. */
void radio_peripheral_advertising_ended(void);

/* Sends a packet as a notification; 0 or a negative error. */
int radio_peripheral_send(struct bt_conn *conn, const uint8_t *packet, size_t len, bt_gatt_complete_func_t sent);

/* Starts and stops scanning as needed. Main thread. */
void radio_central_manage(void);

/* Looks for our service and subscribes. Main thread. */
void radio_central_discover(struct radio_link *link, struct bt_conn *conn);

/* True if connections begin with a shorter interval than they are to have: it is to be asked for once they are up. Main
 * thread. */
bool radio_central_began_shorter(void);

/* The attempt to connect has ended, one way or the other. */
void radio_central_attempt_ended(void);

/* Sends a packet as a write without response; 0 or a negative error. */
int radio_central_send(struct bt_conn *conn, uint16_t handle, const uint8_t *packet, size_t len,
		       bt_gatt_complete_func_t sent);

/* Begins a connection: power; MTU, PHY and data length are to be asked for. Main thread. */
void radio_parameters_begin(struct radio_link *link, struct bt_conn *conn);

/* Other settings: PHY and, if it is another, the interval are to be asked for. Main thread. */
void radio_parameters_change(struct radio_link *link, struct bt_conn *conn, bool other_interval);

/* Asks the controller for what is to be asked for. Main thread, again and again. */
void radio_parameters_ask(struct radio_link *link, struct bt_conn *conn);

/* Connection parameters of the settings, with that interval. */
struct bt_le_conn_param radio_parameters_connection(uint32_t interval_us);

/* The state of a connection, for the board. */
struct pnc_radio_link radio_parameters_of(struct bt_conn *conn);

/* Measures the RSSI, dBm; 127 if it cannot be had. Main thread. */
int8_t radio_parameters_rssi_dbm(struct bt_conn *conn);

/* Starts the thread that hands packets to the stack. */
void radio_sender_start(void);

/* Registers what decides about pairing. */
void security_start(void);

/* The stack has begun anew and has another key pair, to which values shown out of band no longer belong: their window
 * closes with a failure. Main thread. */
void security_began_anew(void);

/* Does what the host and the button asked for, and tells the host. Main thread, again and again. */
void security_manage(void);

/* Lets unknown boards pair for CONFIG_PNC_PAIRING_WINDOW_S. Main thread. */
void security_open_window(void);

/* True while unknown boards may pair. */
bool security_pairing_open(void);

/* True if that board may pair now. */
bool security_may_pair(const bt_addr_le_t *address);

/* The configuration names another peer. Main thread. */
void security_configured(void);

/* Another number whenever the known boards may be others. */
uint32_t security_known_changed(void);

/* True if packets may be exchanged with that board: it is the one configured, or any is and it is bonded, or pairing
 * is open. */
bool security_allows(const bt_addr_le_t *address);

/* Calls `found` for every board that is to be connected to: the configured one, or all bonded ones. */
void security_each_known(void (*found)(const bt_addr_le_t *address, void *user), void *user);

#endif
