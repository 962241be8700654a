/**
 * @file
 * @brief Hides the differences between the Zephyr releases 3.3 to 4.x.
 */
#ifndef PNC_ZEPHYR_COMPAT_H
#define PNC_ZEPHYR_COMPAT_H

#if __has_include(<zephyr/version.h>)
#include <zephyr/version.h>
#else
#include <version.h>
#endif

#include <zephyr/fatal.h>
#include <zephyr/sys/util.h>

#if defined(CONFIG_BT)
#include <zephyr/bluetooth/bluetooth.h>
#include <zephyr/bluetooth/buf.h>
#include <zephyr/bluetooth/gatt.h>
#include <zephyr/bluetooth/hci.h>

/** Option for connectable advertising that ends when a connection starts. */
#if KERNEL_VERSION_NUMBER >= ZEPHYR_VERSION(4, 0, 0)
#define PNC_ADV_CONNECTABLE BT_LE_ADV_OPT_CONN
#else
#define PNC_ADV_CONNECTABLE (BT_LE_ADV_OPT_CONNECTABLE | BT_LE_ADV_OPT_ONE_TIME)
#endif

/** The data of a managed CCC descriptor, which was renamed before 4.2. */
#if defined(BT_GATT_CCC_MANAGED_USER_DATA_INIT)
typedef struct bt_gatt_ccc_managed_user_data pnc_ccc_data;
#else
typedef struct _bt_gatt_ccc pnc_ccc_data;
#endif

/** The connection interval of a struct bt_conn_info, us. */
#if KERNEL_VERSION_NUMBER >= ZEPHYR_VERSION(4, 4, 0)
#define PNC_INTERVAL_US(info) ((info)->le.interval_us)
#else
#define PNC_INTERVAL_US(info) ((info)->le.interval * 1250u)
#endif

/** Set whether we have a peer's values for LE Secure Connections out of band. */
#if KERNEL_VERSION_NUMBER >= ZEPHYR_VERSION(3, 4, 0)
#define pnc_oob_set_flag(have) bt_le_oob_set_sc_flag(have)
#else
#define pnc_oob_set_flag(have) bt_set_oob_data_flag(have)
#endif

/** Allocate a buffer for an HCI command. From 4.3 on the call has no length. */
#if KERNEL_VERSION_NUMBER >= ZEPHYR_VERSION(4, 3, 0)
#define pnc_hci_command(opcode, len) bt_hci_cmd_alloc(K_FOREVER)
#else
#define pnc_hci_command(opcode, len) bt_hci_cmd_create(opcode, len)
#endif

/** Return the HCI packet in a driver's buffer and its length; NULL if it is of another kind. From 4.2 on the first byte
 * of the buffer is the kind. */
#if KERNEL_VERSION_NUMBER >= ZEPHYR_VERSION(4, 1, 99)
static inline const uint8_t *pnc_hci_packet(const struct net_buf *buf, uint8_t kind, size_t *len)
{
	if (buf->len == 0 || buf->data[0] != kind) {
		return NULL;
	}
	*len = buf->len - 1;
	return buf->data + 1;
}
#define pnc_hci_event(buf, len) pnc_hci_packet(buf, BT_HCI_H4_EVT, len)
#define pnc_hci_acl(buf, len) pnc_hci_packet(buf, BT_HCI_H4_ACL, len)
#elif KERNEL_VERSION_NUMBER >= ZEPHYR_VERSION(3, 7, 0)
static inline const uint8_t *pnc_hci_packet(struct net_buf *buf, enum bt_buf_type kind, size_t *len)
{
	*len = buf->len;
	return bt_buf_get_type(buf) == kind ? buf->data : NULL;
}
#define pnc_hci_event(buf, len) pnc_hci_packet(buf, BT_BUF_EVT, len)
#define pnc_hci_acl(buf, len) pnc_hci_packet(buf, BT_BUF_ACL_OUT, len)
#endif
#endif

/** The registers that a fatal error saves. */
#if KERNEL_VERSION_NUMBER >= ZEPHYR_VERSION(3, 7, 0)
typedef struct arch_esf pnc_esf;
#else
typedef z_arch_esf_t pnc_esf;
#endif

/** A flash partition by its label. The old names are deprecated from 4.4 on. Needs flash_map.h. */
#if KERNEL_VERSION_NUMBER >= ZEPHYR_VERSION(4, 4, 0)
#define PNC_PARTITION_ID(label) PARTITION_ID(label)
#define PNC_PARTITION_SIZE(label) PARTITION_SIZE(label)
#define PNC_PARTITION_OFFSET(label) PARTITION_OFFSET(label)
#else
#define PNC_PARTITION_ID(label) FIXED_PARTITION_ID(label)
#define PNC_PARTITION_SIZE(label) FIXED_PARTITION_SIZE(label)
#define PNC_PARTITION_OFFSET(label) FIXED_PARTITION_OFFSET(label)
#endif

/** Random numbers. The header moved in 3.5. */
#if __has_include(<zephyr/random/random.h>)
#include <zephyr/random/random.h>
#else
#include <zephyr/random/rand32.h>
#endif

#endif
