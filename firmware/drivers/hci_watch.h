/**
 * @file
 * @brief Watches the traffic between Bluetooth host and controller to detect when a notification or a write command was
 * delivered. From Zephyr 3.7 on the host's own callback only reports that the controller has accepted the packet.
 */
#ifndef PNC_HCI_WATCH_H
#define PNC_HCI_WATCH_H

#include <stdint.h>

struct net_buf;

/**
 * @brief Set the callback for deliveries. The controller's thread calls it with the handle of a connection and the
 * number of notifications and write commands that were delivered, at least 1.
 */
void hci_watch_listen(void (*delivered)(uint16_t handle, uint8_t packets));

/**
 * @brief Pass an event to the Bluetooth host as if the controller had sent it. Return 0, or a negative error: then the
 * buffer is still the caller's.
 */
int hci_watch_inject(struct net_buf *event);

#endif
