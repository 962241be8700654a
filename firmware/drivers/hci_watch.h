/* Hears what Bluetooth host and controller say to each other, since the host does not tell when a notification or a
 * write command was delivered: from Zephyr 3.7 on its call-back comes when the controller takes the packet. */
#ifndef PNC_HCI_WATCH_H
#define PNC_HCI_WATCH_H

#include <stdint.h>

/* Calls back when the controller reports notifications or write commands of a connection as delivered: that many more,
 * at least 1. From the controller's thread. */
void hci_watch_listen(void (*delivered)(uint16_t handle, uint8_t packets));

#endif
