/* The watchdog of the thread in which the Bluetooth stack handles what it receives, and in which its callbacks run. It
 * belongs to the stack, so it cannot feed a watchdog by itself. An event of a vendor's own kind, which the application
 * may put into its queue, comes back to the application in that thread. */
#include "faults.h"
#include "radio_internal.h"
#include "supervision.h"

#if defined(CONFIG_BT_RECV_BLOCKING)
/* The choice of Zephyr 3.3, where the controller's thread calls the host directly. No event can be put into its queue,
 * so that thread is not watched. */
void radio_rx_watch_start(void)
{
}

void radio_rx_watch_probe(void)
{
	watchdog_feed(WATCHDOG_RX);
}
#else
#include <zephyr/bluetooth/buf.h>
#include <zephyr/bluetooth/hci.h>
#if !defined(CONFIG_PNC_HCI_WATCH)
#include <zephyr/drivers/bluetooth/hci_driver.h>
#endif

#include "hci_watch.h"

#define PROBE_EVERY_MS 1000
#define SUBEVENT 0xF7 /* none of the controller's */

static bool on_vendor_event(struct net_buf_simple *event)
{
	if (event->len < 1 || event->data[0] != SUBEVENT) {
		return false;
	}
	watchdog_feed(WATCHDOG_RX);
	return true;
}

void radio_rx_watch_start(void)
{
	fault_check(PNC_ERROR_CODE_WATCHDOG, bt_hci_register_vnd_evt_cb(on_vendor_event));
}

static int pass_on(struct net_buf *event)
{
#if defined(CONFIG_PNC_HCI_WATCH)
	return hci_watch_inject(event);
#else
	return bt_recv(event);
#endif
}

void radio_rx_watch_probe(void)
{
	static uint32_t probed_ms;
	struct bt_hci_evt_hdr header = {.evt = BT_HCI_EVT_VENDOR, .len = 1};
	struct net_buf *event;

	if (k_uptime_get_32() - probed_ms < PROBE_EVERY_MS) {
		return;
	}
	event = bt_buf_get_evt(BT_HCI_EVT_VENDOR, false, K_NO_WAIT);
	if (event == NULL) {
		return; /* all buffers wait for that thread: tried again at the next call */
	}
	net_buf_add_mem(event, &header, sizeof(header));
	net_buf_add_u8(event, SUBEVENT);
	if (pass_on(event) != 0) {
		net_buf_unref(event);
		return;
	}
	probed_ms = k_uptime_get_32();
}
#endif
