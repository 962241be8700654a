/* Hands packets to the Bluetooth stack, never more of a connection than the core gives out:
 * CONFIG_PNC_PACKETS_IN_FLIGHT, and fewer on a slow link. The completion of each makes room for the next. */
#include <zephyr/bluetooth/hci.h>

#include "care.h"
#include "hci_watch.h"
#include "radio_parts.h"

#define STACK_BYTES 2048
#define PRIORITY 5 /* before the board's thread: packets that are due leave first */
#define RETRY_MS 2
#define IDLE_MS 500

static K_SEM_DEFINE(work, 0, 1);
static K_THREAD_STACK_DEFINE(stack, STACK_BYTES);
static struct k_thread thread;

/* Packets of a connection that the peer has, by the connection's handle. */
struct delivered {
	uint16_t handle;
	uint8_t packets;
};

#define REPORTS (PNC_PEERS * CONFIG_PNC_PACKETS_IN_FLIGHT) /* as many as can be inside the stack */

K_MSGQ_DEFINE(reports, sizeof(struct delivered), REPORTS, 2);
static uint8_t inside[PNC_PEERS]; /* packets of each connection in the stack; the sender's own */

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

/* From threads of the stack, which are not to wait for the core: what they report is for the sender. */
static void on_delivered(uint16_t handle, uint8_t packets)
{
	struct delivered report = {.handle = handle, .packets = packets};

	(void)k_msgq_put(&reports, &report, K_NO_WAIT);
	radio_wake();
}

#if defined(CONFIG_PNC_HCI_WATCH)
/* The host's own call-back says only that the controller has the packet. */
#define on_sent NULL
#else
/* The link layer has the peer's acknowledgement; or the connection broke, then the board learns it by radio_down. */
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
				inside[peer] -= MIN(inside[peer], report.packets);
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

/* The edge has little to say, and up to eight cameras of which some may be out of reach: one packet each, so that the
 * stack's buffers never run out and nobody waits for them. */
static bool may_send(uint8_t peer)
{
	if (!atomic_test_and_set_bit(radio_links[peer].flags, LINK_SERVED)) {
		inside[peer] = 0;
	}
	return radio_settings.role != PNC_ROLE_EDGE || inside[peer] == 0;
}

static int send(struct bt_conn *conn, uint16_t to_camera, const uint8_t *packet, size_t len)
{
	if (radio_settings.role == PNC_ROLE_EDGE) {
		return radio_central_send(conn, to_camera, packet, len, on_sent);
	}
	return radio_peripheral_send(conn, packet, len, on_sent);
}

/* One packet for that peer; false if it has none. */
static bool serve(uint8_t peer)
{
	uint8_t packet[PNC_MAX_PACKET];
	struct bt_conn *conn = radio_link_ref(peer);
	size_t len;
	int error;

	if (conn == NULL) {
		return false;
	}
	len = may_send(peer) ? board_radio_tx(peer, packet) : 0;
	while (len > 0) {
		error = send(conn, radio_links[peer].to_camera, packet, len);
		if (error == 0) {
			inside[peer]++;
			care_traffic();
			break;
		}
		if ((error != -ENOMEM && error != -ENOBUFS && error != -EAGAIN) || !connected(conn)) {
			/* It counts as lost when the connection is down; a connection that takes no packets is none. */
			(void)bt_conn_disconnect(conn, BT_HCI_ERR_REMOTE_USER_TERM_CONN);
			break;
		}
		care_alive(CARE_SENDER);
		k_msleep(RETRY_MS); /* the stack's buffers are in use */
	}
	bt_conn_unref(conn);
	return len > 0;
}

static void run(void *a, void *b, void *c)
{
	ARG_UNUSED(a);
	ARG_UNUSED(b);
	ARG_UNUSED(c);
	for (;;) {
		bool more = true;

		(void)k_sem_take(&work, K_MSEC(IDLE_MS));
		while (more) { /* one packet each in turn */
			more = false;
			take_reports();
			for (uint8_t peer = 0; peer < PNC_PEERS; peer++) {
				more = serve(peer) || more;
			}
			care_alive(CARE_SENDER);
		}
	}
}

void radio_sender_start(void)
{
#if defined(CONFIG_PNC_HCI_WATCH)
	hci_watch_listen(on_delivered);
#endif
	k_thread_create(&thread, stack, K_THREAD_STACK_SIZEOF(stack), run, NULL, NULL, NULL, PRIORITY, 0, K_NO_WAIT);
	k_thread_name_set(&thread, "sender");
}
