#include "serial_tx.h"

#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>

#include "serial.h"

LOG_MODULE_DECLARE(pnc_serial, CONFIG_PNC_LOG_LEVEL);

RING_BUF_DECLARE(serial_tx_ring, CONFIG_PNC_SERIAL_TX_BYTES);

size_t serial_room(void)
{
	return ring_buf_space_get(&serial_tx_ring);
}

bool serial_tx_put(const uint8_t *bytes, size_t len)
{
	if (len > 0 && ring_buf_put(&serial_tx_ring, bytes, len) != len) {
		LOG_ERR("more bytes written than there is room for");
	}
	return !ring_buf_is_empty(&serial_tx_ring);
}
