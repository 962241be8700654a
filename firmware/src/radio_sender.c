/* The thread that hands packets to the Bluetooth stack. The core limits the packets in flight of each connection to
 * CONFIG_PNC_PACKETS_IN_FLIGHT, and to fewer on a slow link. Each completion makes room for another packet. */
#include <zephyr/bluetooth/hci.h>
#include <zephyr/logging/log.h>

#include "faults.h"
#include "hci_watch.h"
#include "radio_internal.h"
#include "supervision.h"

LOG_MODULE_REGISTER(pnc_sender, CONFIG_PNC_LOG_LEVEL);

#define STACK_BYTES 1536 /* `make stacks` measures what it uses */
#define PRIORITY 5       /* above the board's thread, so that packets that are due leave first */
#define RETRY_MS 2
#define RETRY_MOST_MS 1000 /* all other peers wait meanwhile */
#define IDLE_MS 500

static K_SEM_DEFINE(work, 0, 1);
static K_THREAD_STACK_DEFINE(stack, STACK_BYTES);
static struct k_thread thread;

/* Packets that the peer has received, by the connection's handle. */
struct delivered {
	uint16_t handle;
	uint8_t packets;
};

#define REPORTS (PNC_PEERS * CONFIG_PNC_PACKETS_IN_FLIGHT) /* as many as the stack can hold packets */

K_MSGQ_DEFINE(reports, sizeof(struct delivered), REPORTS, 2);
static uint8_t in_stack[PNC_PEERS]; /* packets of each connection in the stack; only the sender's thread uses it */

BUILD_ASSERT(CONFIG_BT_L2CAP_TX_BUF_COUNT > MAX(PNC_PEERS, CONFIG_PNC_PACKETS_IN_FLIGHT));

void radio_wake(void)
{
	k_sem_give(&work);
}

static bool connected(struct bt_conn *conn)
{
	struct bt_conn_info info;

	return bt_conn_get_info(conn, &info) == 0 && info.state == BT_CONN_STATE_CONNECTED;
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
	if (connected(conn) && bt_hci_get_conn_handle(conn, &handle) == 0) {
		on_delivered(handle, 1);
	}
	radio_wake();
}
#endif

static void take_reports(void)
{
	struct delivered report;
	uint16_t handle;

	while (k_msgq_get(&reports, &report, K_NO_WAIT) == 0) {
		for (uint8_t peer = 0; peer < PNC_PEERS; peer++) {
			struct bt_conn *conn = radio_link_ref(peer);

			if (conn != NULL && bt_hci_get_conn_handle(conn, &handle) == 0 && handle == report.handle) {
				in_stack[peer] -= MIN(in_stack[peer], report.packets);
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
		in_stack[peer] = 0;
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

static int send(struct bt_conn *conn, uint16_t to_camera, const uint8_t *packet, size_t len)
{
	if (radio_role() == PNC_ROLE_EDGE) {
		return radio_central_send(conn, to_camera, packet, len, on_sent);
	}
	return radio_peripheral_send(conn, packet, len, on_sent);
}

/* Send one packet to that peer. Return false if it has none. */
static bool serve(uint8_t peer)
{
	uint8_t packet[PNC_MAX_PACKET];
	struct bt_conn *conn = radio_link_ref(peer);
	size_t len;
	int64_t since_ms = k_uptime_get();
	int error;

	if (conn == NULL) {
		return false;
	}
	len = may_send(peer) ? board_radio_tx(peer, packet) : 0;
	while (len > 0) {
		error = send(conn, radio_links[peer].to_camera, packet, len);
		if (error == 0) {
			in_stack[peer]++;
			leds_note_traffic();
			break;
		}
		if ((error != -ENOMEM && error != -ENOBUFS && error != -EAGAIN) || !connected(conn)) {
			/* A connection that accepts no packets is useless. Its packets count as lost once it has ended.
			 */
			radio_disconnect(conn, BT_HCI_ERR_REMOTE_USER_TERM_CONN);
			break;
		}
		if (k_uptime_get() - since_ms >= RETRY_MOST_MS) {
			fault_note(PNC_ERROR_CODE_STUCK, peer);
			atomic_set_bit(radio_links[peer].flags, LINK_STUCK);
			radio_disconnect(conn, BT_HCI_ERR_REMOTE_USER_TERM_CONN);
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

void radio_sender_start(void)
{
#if defined(CONFIG_PNC_HCI_WATCH)
	hci_watch_listen(on_delivered);
#endif
	k_thread_create(&thread, stack, K_THREAD_STACK_SIZEOF(stack), run_sender, NULL, NULL, NULL, PRIORITY, 0,
			K_NO_WAIT);
	k_thread_name_set(&thread, "sender");
}
