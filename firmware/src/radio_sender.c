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

void radio_wake(void)
{
	k_sem_give(&work);
}

static bool connected(struct bt_conn *conn)
{
	struct bt_conn_info info;

	return bt_conn_get_info(conn, &info) == 0 && info.state == BT_CONN_STATE_CONNECTED;
}

#if defined(CONFIG_PNC_HCI_WATCH)
/* The link layer has the peer's acknowledgement. The host's own call-back says only that the controller has the packet.
 */
#define on_sent NULL
static void on_delivered(uint16_t handle, uint8_t packets)
{
	for (uint8_t peer = 0; peer < PNC_PEERS; peer++) {
		struct bt_conn *conn = radio_link_ref(peer);
		uint16_t its_handle;

		if (conn != NULL && bt_hci_get_conn_handle(conn, &its_handle) == 0 && its_handle == handle) {
			for (; packets > 0; packets--) {
				board_radio_sent(peer);
			}
		}
		if (conn != NULL) {
			bt_conn_unref(conn);
		}
	}
	radio_wake();
}
#else
/* The link layer has the peer's acknowledgement; or the connection broke, then the board learns it by radio_down. */
static void on_sent(struct bt_conn *conn, void *user)
{
	uint8_t peer = radio_link_of(conn);

	ARG_UNUSED(user);
	if (peer < PNC_PEERS && connected(conn)) {
		board_radio_sent(peer);
	}
	radio_wake();
}
#endif

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
	len = board_radio_tx(peer, packet);
	while (len > 0) {
		error = send(conn, radio_links[peer].to_camera, packet, len);
		if (error == 0) {
			care_traffic();
			break;
		}
		if ((error != -ENOMEM && error != -ENOBUFS && error != -EAGAIN) || !connected(conn)) {
			/* It counts as lost when the connection is down; a connection that takes no packets is none. */
			(void)bt_conn_disconnect(conn, BT_HCI_ERR_REMOTE_USER_TERM_CONN);
			break;
		}
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
