/**
 * @file
 * @brief What the files of the radio share. Calls go down only:
 *
 *   radio.c                                  the manager: advances each connection until it carries packets
 *   radio_sender.c                           the thread that hands packets to the stack
 *   radio_central.c, radio_peripheral.c      the two roles
 *   radio_parameters.c, security.c           PHY, data length, interval, power; who may pair
 *   radio_rx_watch.c, radio_key.c            the watchdog of the stack's own thread; whether it has made its key
 *   radio_links.c                            the table of connections
 *
 * Callbacks of the Bluetooth stack only record what happened and call radio_notify. The main thread then acts.
 */
#ifndef PNC_RADIO_INTERNAL_H
#define PNC_RADIO_INTERNAL_H

#include <zephyr/bluetooth/bluetooth.h>
#include <zephyr/bluetooth/conn.h>
#include <zephyr/bluetooth/gatt.h>
#include <zephyr/kernel.h>

#include "board_thread.h"
#include "radio.h"

/** A UUID of pnc_wire.h: as its 16 bytes, and as the stack needs it. */
#define PNC_UUID_BYTES(...) BT_UUID_128_ENCODE(__VA_ARGS__)
#define PNC_UUID(...) BT_UUID_DECLARE_128(PNC_UUID_BYTES(__VA_ARGS__))

/* radio_links.c */

/** Flags of a connection. */
enum {
	LINK_BEGUN, /**< the main thread has seen it */
	/** To be requested until the controller accepts. It refuses while another procedure runs. */
	LINK_REQUEST_PHY,
	LINK_REQUEST_MTU,
	LINK_REQUEST_INTERVAL,
	LINK_PAIRING,     /**< it pairs, which takes time */
	LINK_SECURE,      /**< encrypted */
	LINK_DISCOVERED,  /**< central: discovery of our service has started */
	LINK_SUBSCRIBED,  /**< notifications are on */
	LINK_UP,          /**< reported to the board */
	LINK_CHANGED,     /**< its parameters have changed since the last report */
	LINK_SERVED,      /**< the sender has seen it */
	LINK_STALE_KEY,   /**< the peer has lost the key that we still have */
	LINK_EXCLUDED,    /**< no packet of this peer is taken or sent: the configuration names another one */
	LINK_HELD,        /**< no packet is handed over until a change of its PHY has happened */
	LINK_CODED_S2,    /**< on the coded PHY this board sends S2, otherwise S8 */
	LINK_STUCK,       /**< no packet was taken or completed for too long: its end was requested */
	LINK_END_REFUSED, /**< the stack refused to end it: to be requested again */
	LINK_REFUSED,     /**< a request of a parameter is refused, which is a fault */
	LINK_FLAGS
};

/** A slot for a connection. */
struct radio_link {
	struct bt_conn *conn; /**< with a reference; NULL: the slot is free */
	bt_addr_le_t address; /**< of the current or last connection, which gets the same slot again */
	int64_t since_ms;     /**< start of the connection, or the end of its pairing */
	ATOMIC_DEFINE(flags, LINK_FLAGS);
	int8_t rssi_dbm;
	uint8_t phy;         /**< PNC_PHY_ that the core chose; PNC_PHY_KEEP: none */
	uint16_t length_us;  /**< the time of a packet that was requested last; 0: none */
	int64_t held_ms;     /**< since when packets are held; main thread */
	atomic_t refused_ms; /**< since when its end is refused, or when that was a fault last */
	int64_t asked_ms;    /**< since when a request of a parameter is refused; 0: none is; main thread */
	/** central */
	uint16_t to_camera; /**< handle of the characteristic that is written */
	struct bt_gatt_subscribe_params subscription;
	struct bt_gatt_discover_params discovery;
	struct bt_gatt_exchange_params exchange;
};

/** The slots, by peer. Only radio_links.c changes `conn` and `address`. */
extern struct radio_link radio_links[PNC_PEERS];

/** @brief Return a copy of role and settings in force. From any thread. */
struct pnc_configure radio_settings(void);

/** @brief Return the role in force. From any thread. */
uint8_t radio_role(void);

/** @brief Change role and settings. From the main thread. */
void radio_settings_set(const struct pnc_configure *settings);

/** @brief Wait for radio_notify, at most `wait_ms`. From the main thread. */
void radio_wait(int32_t wait_ms);

/** @brief Assign a slot to a new connection and take a reference. Return false if no slot is free. */
bool radio_link_open(struct bt_conn *conn);

/** @brief Free the slot of a connection and give up its reference. Return its peer, PNC_PEERS if it had no slot. */
uint8_t radio_link_close(struct bt_conn *conn);

/** @brief Return the connection in a slot with a reference that the caller must give up; NULL if the slot is free. */
struct bt_conn *radio_link_ref(uint8_t peer);

/** @brief Return the peer of a connection; PNC_PEERS if it has no slot. */
uint8_t radio_link_of(const struct bt_conn *conn);

/** @brief Set a flag of a connection, if it has a slot, and call radio_notify. */
void radio_link_note(struct bt_conn *conn, int flag);

/** @brief Return true if a slot is free. */
bool radio_has_free_slot(void);

/** @brief Return true if a board with that address is connected. */
bool radio_is_connected(const bt_addr_le_t *address);

/** @brief Return the number of connections. */
uint8_t radio_connected(void);

/** @brief Return true if a connection with that flag exists. */
bool radio_any(int flag);

/** @brief Return true while the stack regards a connection as connected. */
bool radio_conn_is_up(struct bt_conn *conn);

/**
 * @brief Request the end of a connection. That it has ended meanwhile is no fault. If the stack refuses, the main
 * thread requests it again, and a fault exists after 1 s.
 */
void radio_disconnect(struct bt_conn *conn, uint8_t reason);

/** @brief Request the end of every connection. */
void radio_disconnect_all(void);

/* radio_rx_watch.c */

/** @brief Watch the thread of the stack that handles what it receives. From the main thread. */
void radio_rx_watch_start(void);

/** @brief Send an event through that thread, which then feeds its watchdog. From the main thread, again and again. */
void radio_rx_watch_probe(void);

/* radio_key.c; from the main thread */

/** @brief Record that the stack starts, and with it the time that its key may take. */
void radio_key_begins(void);

/**
 * @brief Return how many starts of the stack in a row, the last one included, have made no key within twice the time
 * that a pairing may take; 0 while that lasts. That it has none is a fault until it has. Call again and again.
 */
int radio_key_failures(void);

/** @brief Wait for that key, for 3 s at most. Return false if there is none. */
bool radio_key_wait(void);

/* radio_parameters.c; from the main thread */

/** @brief Set the power of a new connection, and mark MTU, PHY and data length to be requested. */
void radio_parameters_begin(struct radio_link *link, struct bt_conn *conn);

/** @brief Apply changed settings: set the power, and mark the PHY and, if it changed, the interval to be requested. */
void radio_parameters_change(struct radio_link *link, struct bt_conn *conn, bool other_interval);

/**
 * @brief Request what is marked, as far as the controller accepts it now. Call again and again. That it refuses for
 * longer than other procedures take is a fault.
 */
void radio_parameters_request(struct radio_link *link, struct bt_conn *conn);

/** @brief Return the connection parameters for an interval. From any thread. */
struct bt_le_conn_param radio_parameters_connection(uint32_t interval_us);

/** @brief Mark another PHY to be requested for a connection whose PHY follows the conditions. */
void radio_parameters_choose_phy(struct radio_link *link, uint8_t phy);

/** @brief Record that the PHY of a connection has changed, or stays as it is. From any thread. */
void radio_parameters_phy_changed(struct radio_link *link);

/** @brief Return the state of a connection, for the board. */
struct pnc_radio_link radio_parameters_of(struct bt_conn *conn);

/** @brief Measure the RSSI and return it in dBm; 127 if it is not available. */
int8_t radio_parameters_rssi_dbm(struct bt_conn *conn);

/* security.c */

/**
 * @brief Register the callbacks that decide about pairing. Return false if that fails: the stack would let any board
 * pair, so the radio has to stay off.
 */
bool security_start(void);

/**
 * @brief Handle a restart of the stack, which has created another key pair. Values that were shown out of band belong
 * to the old one, so their window closes as a failed attempt. From the main thread.
 */
void security_stack_restarted(void);

/**
 * @brief Carry out what the host and the button requested, and report changes to the host. From the main thread, again
 * and again.
 */
void security_process(void);

/** @brief Open the window in which unknown boards may pair, for CONFIG_PNC_PAIRING_WINDOW_S. From the main thread. */
void security_open_window(void);

/** @brief Return true while unknown boards may pair. */
bool security_pairing_open(void);

/** @brief Return true if that board may pair now. */
bool security_may_pair(const bt_addr_le_t *address);

/**
 * @brief If there is no room for the bond of that board, close the window, report a failed attempt and why, and return
 * true. The stack would fail without telling the application. From the main thread.
 */
bool security_refuse_if_full(const bt_addr_le_t *address);

/** @brief Record that the configuration may name another peer. From the main thread. */
void security_configured(void);

/** @brief Return a number that changes whenever the set of known boards may have changed. */
uint32_t security_known_version(void);

/**
 * @brief Return true if packets may be exchanged with that board: if the configuration names it; if the configuration
 * names no board and that one is bonded; or if it may pair now.
 */
bool security_allows(const bt_addr_le_t *address);

/** @brief Call `found` for every known board: the one that the configuration names, otherwise all bonded ones. */
void security_each_known(void (*found)(const bt_addr_le_t *address, void *user), void *user);

/* radio_peripheral.c */

/** @brief Start or stop advertising as needed. From the main thread. */
void radio_peripheral_process(void);

/** @brief Record that advertising ended with a connection, or with an attempt at one. */
void radio_peripheral_advertising_ended(void);

/** @brief Send a packet as a notification. Return 0 or a negative error. */
int radio_peripheral_send(struct bt_conn *conn, const uint8_t *packet, size_t len, bt_gatt_complete_func_t sent);

/* radio_central.c */

/** @brief Start or stop scanning as needed. From the main thread. */
void radio_central_process(void);

/** @brief Forget the scan and the attempt to connect, which a restart of the stack has ended. From the main thread. */
void radio_central_stack_restarted(void);

/** @brief Discover our service and subscribe. From the main thread. */
void radio_central_discover(struct radio_link *link, struct bt_conn *conn);

/**
 * @brief Return true if connections start with a shorter interval than they are to have. The longer one has to be
 * requested when they are up. From the main thread.
 */
bool radio_central_starts_shorter(void);

/** @brief Record that the attempt to connect ended. */
void radio_central_attempt_ended(bool connected);

/** @brief Send a packet as a write without response. Return 0 or a negative error. */
int radio_central_send(struct bt_conn *conn, uint16_t handle, const uint8_t *packet, size_t len,
		       bt_gatt_complete_func_t sent);

/* radio_sender.c */

/** @brief Start the thread that hands packets to the stack. */
void radio_sender_start(void);

/**
 * @brief End connections whose packets the peer does not complete, which would keep the stack's buffers. From the main
 * thread, again and again.
 */
void radio_sender_check(void);

#endif
