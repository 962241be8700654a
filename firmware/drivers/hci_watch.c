/* An HCI driver between the Bluetooth host and the controller's own driver. It passes everything on unchanged. */
#define DT_DRV_COMPAT pnc_hci_watch

#include "hci_watch.h"

#include <zephyr/bluetooth/hci_types.h>
#include <zephyr/device.h>
#include <zephyr/drivers/bluetooth.h>
#include <zephyr/kernel.h>
#include <zephyr/sys/byteorder.h>

#include "pnc/completion.h"
#include "zephyr_compat.h"

BUILD_ASSERT(CONFIG_BT_BUF_ACL_TX_COUNT <= PNC_COMPLETION_MOST);
BUILD_ASSERT(CONFIG_BT_MAX_CONN <= PNC_PEERS);

#if DT_INST_NODE_HAS_PROP(0, controller)
#define CONTROLLER DT_INST_PHANDLE(0, controller)
#elif DT_HAS_COMPAT_STATUS_OKAY(zephyr_bt_hci_ll_sw_split)
#define CONTROLLER DT_COMPAT_GET_ANY_STATUS_OKAY(zephyr_bt_hci_ll_sw_split)
#else
#define CONTROLLER DT_COMPAT_GET_ANY_STATUS_OKAY(zephyr_bt_hci_ipc)
#endif

static const struct device *const controller = DEVICE_DT_GET(CONTROLLER);
static struct k_spinlock lock; /* of `completion` */
static struct pnc_completion completion;
static void (*listener)(uint16_t handle, uint8_t packets);

#if defined(BT_DT_HCI_DRIVER_CONFIG_INST_GET) /* from 4.5 on every driver needs these */
static struct bt_hci_driver_data host;
static const struct bt_hci_driver_config config = BT_DT_HCI_DRIVER_CONFIG_INST_GET(0);
#define CONFIG_OF_DEVICE &config
#else
static struct {
	bt_hci_recv_t recv;
} host;
#define CONFIG_OF_DEVICE NULL
#endif

void hci_watch_listen(void (*delivered)(uint16_t handle, uint8_t packets))
{
	listener = delivered;
}

static int on_received(const struct device *dev, struct net_buf *buf)
{
	struct pnc_completed done[PNC_PEERS];
	size_t len, count = 0;
	const uint8_t *event = pnc_hci_event(buf, &len);

	ARG_UNUSED(dev);
	if (event != NULL) {
		K_SPINLOCK(&lock)
		{
			count = pnc_completion_event(&completion, event, len, done);
		}
	}
	for (size_t i = 0; i < count && listener != NULL; i++) {
		listener(done[i].handle, done[i].packets);
	}
	return host.recv(DEVICE_DT_INST_GET(0), buf);
}

int hci_watch_inject(struct net_buf *event)
{
	return host.recv(DEVICE_DT_INST_GET(0), event);
}

static int begin(void)
{
	pnc_completion_init(&completion);
	return bt_hci_open(controller, on_received);
}

#if defined(BT_DT_HCI_DRIVER_CONFIG_INST_GET)
static int open(const struct device *dev)
{
	ARG_UNUSED(dev);
	return begin();
}
#else
static int open(const struct device *dev, bt_hci_recv_t recv)
{
	ARG_UNUSED(dev);
	host.recv = recv;
	return begin();
}
#endif

static int close(const struct device *dev)
{
	ARG_UNUSED(dev);
	return bt_hci_close(controller);
}

static int send(const struct device *dev, struct net_buf *buf)
{
	size_t len;
	const uint8_t *acl = pnc_hci_acl(buf, &len);
	uint16_t handle;
	int error;

	ARG_UNUSED(dev);
	if (acl == NULL || len < sizeof(struct bt_hci_acl_hdr)) {
		return bt_hci_send(controller, buf);
	}
	handle = bt_acl_handle(sys_get_le16(acl)); /* the buffer is no longer ours once it is sent */
	K_SPINLOCK(&lock)
	{
		pnc_completion_sent(&completion, acl, len);
	}
	error = bt_hci_send(controller, buf);
	if (error != 0) {
		K_SPINLOCK(&lock)
		{
			pnc_completion_refused(&completion, handle);
		}
	}
	return error;
}

#if defined(DEVICE_API)
static DEVICE_API(bt_hci, api) = {.open = open, .close = close, .send = send};
#else
static const struct bt_hci_driver_api api = {.open = open, .close = close, .send = send};
#endif

DEVICE_DT_INST_DEFINE(0, NULL, NULL, &host, CONFIG_OF_DEVICE, POST_KERNEL, CONFIG_KERNEL_INIT_PRIORITY_DEVICE, &api);
