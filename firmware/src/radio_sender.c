/* The thread that hands packets to the Bluetooth stack. The core limits the packets in flight of each connection to
 * CONFIG_PNC_PACKETS_IN_FLIGHT, and to fewer on a slow link. Each completion makes room for another packet.
 *
 * The stack waits for a buffer without a limit, in every thread but its own. So the main thread watches this one: a
 * connection whose packets are not completed is ended, which frees its buffers. */
#include <zephyr/bluetooth/hci.h>
#include <zephyr/logging/log.h>

#include "faults.h"
#include "hci_watch.h"
#include "radio_internal.h"
#include "supervision.h"
#include "zephyr_compat.h"

LOG_MODULE_REGISTER(pnc_sender, CONFIG_PNC_LOG_LEVEL);

#define PRIORITY 5 /* above the board's thread, so that packets that are due leave first */
#define RETRY_MS 2
#define RETRY_MOST_MS 1000 /* all other peers wait meanwhile */
#define IDLE_MS 500
#define BLOCKED_MS 1000       /* a call of the stack that has not returned after that waits for buffers */
#define BLOCKED_MOST_MS 15000 /* after that the watchdog may reset the board: ending connections did not help */
/* The link layer ends a connection that is silent, after the timeout of the connection. One that is not, but completes
 * no packet, is ended later than that by so much and so many intervals. */
#define UNCOMPLETED_MS 1000
#define UNCOMPLETED_INTERVALS 10
#define ENDING_MS 6000 /* for a connection to end, before another one is suspected */

static K_SEM_DEFINE(work, 0, 1);
static K_THREAD_STACK_DEFINE(stack, CONFIG_PNC_SENDER_STACK_BYTES);
static struct k_thread thread;

/* Packets that the peer has received, by the connection's handle. */
struct delivered {
	uint16_t handle;
	uint8_t packets;
};

#define REPORTS (PNC_PEERS * CONFIG_PNC_PACKETS_IN_FLIGHT) /* as many as the stack can hold packets */

K_MSGQ_DEFINE(reports, sizeof(struct delivered), REPORTS, 2);

static K_MUTEX_DEFINE(counting);        /* of the next two lines */
static uint8_t in_stack[PNC_PEERS];     /* packets of each connection in the stack, or being handed over */
static uint32_t progress_ms[PNC_PEERS]; /* when one of them was completed last, or the first one was handed over */
static atomic_t calling;                /* the sender is in a call of the stack that takes a packet */
static atomic_t called_ms;              /* since when */
static uint32_t ending_ms;              /* when the end of a connection was requested last */

/* A buffer for each peer that an edge board serves, or for all packets of a camera's only one, and some for what the
 * stack sends by itself. The buffers of notifications and writes: later releases have a pool of their own for them. */
#if KERNEL_VERSION_NUMBER >= ZEPHYR_VERSION(4, 1, 0)
#define BUFFERS CONFIG_BT_ATT_TX_COUNT
#else
#define BUFFERS MIN(CONFIG_BT_L2CAP_TX_BUF_COUNT, CONFIG_BT_CONN_TX_MAX)
#endif
#define BUFFERS_SPARE 2

BUILD_ASSERT(BUFFERS >= MAX(PNC_PEERS, CONFIG_PNC_PACKETS_IN_FLIGHT) + BUFFERS_SPARE);

void radio_wake(void)
{
	k_sem_give(&work);
}

/* Pass a report to the sender's thread. The stack's threads call this and must not wait for the core. */
static void on_delivered(uint16_t handle, uint8_t packets)
{
	struct delivered report = {.handle = handle, .packets = packets};

	if (k_msgq_put(&reports, &report, K_NO_WAIT) != 0) {
		LOG_ERR("a report of %u delivered packets has no room", packets);
	}
	radio_wake();
}

#if defined(CONFIG_PNC_HCI_WATCH)
/* The host's own callback only reports that the controller has accepted the packet. */
#define on_sent NULL
#else
/* Report a packet as delivered, unless its connection was lost: then board_radio_down accounts for it. */
static void on_sent(struct bt_conn *conn, void *user)
{
	uint16_t handle;

	ARG_UNUSED(user);
	if (radio_conn_is_up(conn) && bt_hci_get_conn_handle(conn, &handle) == 0) {
		on_delivered(handle, 1);
	}
	radio_wake();
}
#endif

/* Add to the packets of a connection in the stack. */
static void count(uint8_t peer, int packets)
{
	k_mutex_lock(&counting, K_FOREVER);
	if (packets < 0 || in_stack[peer] == 0) {
		progress_ms[peer] = k_uptime_get_32();
	}
	in_stack[peer] = MAX(in_stack[peer] + packets, 0);
	k_mutex_unlock(&counting);
}

/* From the sender's thread, and from the main thread while that one is blocked. */
static void take_reports(void)
{
	struct delivered report;
	uint16_t handle;

	while (k_msgq_get(&reports, &report, K_NO_WAIT) == 0) {
		for (uint8_t peer = 0; peer < PNC_PEERS; peer++) {
			struct bt_conn *conn = radio_link_ref(peer);

			if (conn != NULL && bt_hci_get_conn_handle(conn, &handle) == 0 && handle == report.handle) {
				count(peer, -report.packets);
				for (uint8_t i = 0; i < report.packets; i++) {
					board_radio_sent(peer);
				}
			}
			if (conn != NULL) {
				bt_conn_unref(conn);
			}
		}
	}
}

/* Return true if a packet may be handed to the stack. An edge board has little to send, to up to eight cameras of which
 * some may be out of range. One packet for each at a time ensures that the stack's buffers never run out. */
static bool may_send(uint8_t peer)
{
	if (!atomic_test_and_set_bit(radio_links[peer].flags, LINK_SERVED)) {
		count(peer, -UINT8_MAX);
	}
	if (atomic_test_bit(radio_links[peer].flags, LINK_EXCLUDED) ||
	    atomic_test_bit(radio_links[peer].flags, LINK_STUCK)) {
		return false; /* its connection is about to end */
	}
	if (atomic_test_bit(radio_links[peer].flags, LINK_HELD)) {
		return false;
	}
	return radio_role() != PNC_ROLE_EDGE || in_stack[peer] == 0;
}

static int send(uint8_t peer, struct bt_conn *conn, const uint8_t *packet, size_t len)
{
	int error;

	count(peer, 1);
	atomic_set(&called_ms, (atomic_val_t)k_uptime_get_32());
	atomic_set(&calling, 1);
	if (radio_role() == PNC_ROLE_EDGE) {
		error = radio_central_send(conn, radio_links[peer].to_camera, packet, len, on_sent);
	} else {
		error = radio_peripheral_send(conn, packet, len, on_sent);
	}
	atomic_clear(&calling);
	if (error != 0) {
		count(peer, -1);
	}
	return error;
}

/* End a connection whose packets are not completed. Its packets count as lost once it has ended. */
static void end_stuck(uint8_t peer, struct bt_conn *conn)
{
	if (!atomic_test_and_set_bit(radio_links[peer].flags, LINK_STUCK)) {
		fault_note(PNC_ERROR_CODE_STUCK, peer);
		ending_ms = k_uptime_get_32();
	}
	radio_disconnect(conn, BT_HCI_ERR_REMOTE_USER_TERM_CONN);
}

/* Send one packet to that peer. Return false if it has none. */
static bool serve(uint8_t peer)
{
	PNC_WORDWISE uint8_t packet[PNC_MAX_PACKET];
	struct bt_conn *conn = radio_link_ref(peer);
	size_t len;
	int64_t since_ms = k_uptime_get();
	int error;

	if (conn == NULL) {
		return false;
	}
	len = may_send(peer) ? board_radio_tx(peer, packet) : 0;
	while (len > 0) {
		error = send(peer, conn, packet, len);
		if (error == 0) {
			leds_note_traffic();
			break;
		}
		if ((error != -ENOMEM && error != -ENOBUFS && error != -EAGAIN) || !radio_conn_is_up(conn)) {
			/* A connection that accepts no packets is useless. Its packets count as lost once it has ended.
			 */
			radio_disconnect(conn, BT_HCI_ERR_REMOTE_USER_TERM_CONN);
			break;
		}
		if (k_uptime_get() - since_ms >= RETRY_MOST_MS) {
			end_stuck(peer, conn);
			break;
		}
		watchdog_feed(WATCHDOG_SENDER);
		k_msleep(RETRY_MS); /* the stack's buffers are in use */
	}
	bt_conn_unref(conn);
	return len > 0;
}

static void run_sender(void *a, void *b, void *c)
{
	ARG_UNUSED(a);
	ARG_UNUSED(b);
	ARG_UNUSED(c);
	for (;;) {
		bool more = true;

		k_sem_take(&work, K_MSEC(IDLE_MS)); /* woken or not, it looks */
		while (more) {                      /* one packet for each peer in turn */
			more = false;
			take_reports();
			for (uint8_t peer = 0; peer < PNC_PEERS; peer++) {
				more = serve(peer) || more;
			}
			watchdog_feed(WATCHDOG_SENDER);
		}
	}
}

/* Return for how long no packet of that peer was completed, ms; 0: none is in the stack. */
static uint32_t uncompleted_ms(uint8_t peer)
{
	uint32_t ms = 0;

	k_mutex_lock(&counting, K_FOREVER);
	if (in_stack[peer] > 0 && atomic_test_bit(radio_links[peer].flags, LINK_SERVED)) {
		ms = k_uptime_get_32() - progress_ms[peer];
	}
	k_mutex_unlock(&counting);
	return ms;
}

/* Return for how long a connection may complete no packet while its link layer keeps it, ms. */
static uint32_t allowed_ms(struct bt_conn *conn)
{
	struct bt_conn_info info;

	if (bt_conn_get_info(conn, &info) != 0) {
		return UINT32_MAX;
	}
	return info.le.timeout * 10u + UNCOMPLETED_MS + UNCOMPLETED_INTERVALS * PNC_INTERVAL_US(&info) / USEC_PER_MSEC;
}

/* The sender waits for buffers. End the connection that has completed nothing for longest, which may be another than
 * the one whose packet waits; after some time the next one. */
static void unblock(void)
{
	uint32_t longest_ms = 0;
	uint8_t longest = PNC_PEERS;
	struct bt_conn *conn;

	take_reports();
	for (uint8_t peer = 0; peer < PNC_PEERS; peer++) {
		bool ending = atomic_test_bit(radio_links[peer].flags, LINK_STUCK);

		conn = radio_link_ref(peer);
		if (conn == NULL) {
			continue;
		}
		bt_conn_unref(conn);
		if (ending && k_uptime_get_32() - ending_ms < ENDING_MS) {
			return;
		}
		if (!ending && uncompleted_ms(peer) > longest_ms) {
			longest_ms = uncompleted_ms(peer);
			longest = peer;
		}
	}
	conn = longest < PNC_PEERS ? radio_link_ref(longest) : NULL;
	if (conn != NULL) {
		end_stuck(longest, conn);
		bt_conn_unref(conn);
	}
}

void radio_sender_check(void)
{
	bool in_call = atomic_get(&calling) != 0; /* read before the time, which is set first */
	uint32_t call_ms = k_uptime_get_32() - (uint32_t)atomic_get(&called_ms);

	if (in_call && call_ms >= BLOCKED_MS) {
		if (call_ms < BLOCKED_MOST_MS) {
			watchdog_feed(WATCHDOG_SENDER);
		}
		unblock();
	}
	for (uint8_t peer = 0; peer < PNC_PEERS; peer++) {
		struct bt_conn *conn = radio_link_ref(peer);

		if (conn != NULL && uncompleted_ms(peer) > allowed_ms(conn)) {
			end_stuck(peer, conn); /* again and again, while it stays */
		}
		if (conn != NULL) {
			bt_conn_unref(conn);
		}
	}
}

void radio_sender_start(void)
{
#if defined(CONFIG_PNC_HCI_WATCH)
	hci_watch_listen(on_delivered);
#endif
	k_thread_create(&thread, stack, K_THREAD_STACK_SIZEOF(stack), run_sender, NULL, NULL, NULL, PRIORITY, 0,
			K_NO_WAIT);
	k_thread_name_set(&thread, "sender");
}
