/* The serial port by the interrupt-driven UART API. */
#include "serial.h"

#include <zephyr/device.h>
#include <zephyr/drivers/uart.h>
#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>
#include <zephyr/sys/ring_buffer.h>

#include "serial_tx.h"

LOG_MODULE_REGISTER(pnc_serial, CONFIG_PNC_LOG_LEVEL);

static const struct device *const uart = DEVICE_DT_GET(SERIAL_NODE);

/* The interrupt writes, the board's thread reads. */
RING_BUF_DECLARE(rx_ring, CONFIG_PNC_SERIAL_RX_BYTES);

static void (*notify)(void);
static volatile bool rx_stopped;

/* Move received bytes to the ring. Return false if this interrupt has nothing more to receive. */
static bool receive(void)
{
	uint8_t *space;
	uint32_t room = ring_buf_put_claim(&rx_ring, &space, CONFIG_PNC_SERIAL_RX_BYTES);
	int n;

	if (room == 0) {
		uart_irq_rx_disable(uart); /* until serial_read makes room; flow control stops the host */
		rx_stopped = true;
		return false;
	}
	n = uart_fifo_read(uart, space, room);
	ring_buf_put_finish(&rx_ring, n > 0 ? n : 0); /* cannot fail: no more than was claimed */
	return n > 0;
}

/* Move bytes from the ring to the UART. Return false if this interrupt has nothing more to send. */
static bool transmit(void)
{
	uint8_t *bytes;
	uint32_t len = ring_buf_get_claim(&serial_tx_ring, &bytes, CONFIG_PNC_SERIAL_TX_BYTES);
	int n;

	if (len == 0) {
		uart_irq_tx_disable(uart);
		return false;
	}
	n = uart_fifo_fill(uart, bytes, len);                /* may accept fewer, even none */
	ring_buf_get_finish(&serial_tx_ring, n > 0 ? n : 0); /* cannot fail: no more than was claimed */
	return n > 0;
}

static void on_interrupt(const struct device *dev, void *user)
{
	bool more = true;

	ARG_UNUSED(user);
	while (more) {
		more = false;
		uart_irq_update(dev); /* returns nothing from Zephyr 4.5 on */
		if (uart_irq_is_pending(dev) <= 0) {
			break;
		}
		if (uart_irq_rx_ready(dev)) {
			more = receive();
		}
		if (uart_irq_tx_ready(dev) > 0) {
			more = transmit() || more;
		}
	}
	notify();
}

bool serial_start(void (*on_event)(void))
{
	if (!device_is_ready(uart)) {
		return false;
	}
	notify = on_event;
	uart_irq_callback_user_data_set(uart, on_interrupt, NULL);
	uart_irq_rx_enable(uart);
	return true;
}

size_t serial_read(uint8_t *out, size_t room)
{
	size_t n = ring_buf_get(&rx_ring, out, room);

	if (n > 0 && rx_stopped) {
		rx_stopped = false;
		uart_irq_rx_enable(uart);
	}
	return n;
}

void serial_write(const uint8_t *bytes, size_t len)
{
	if (serial_tx_put(bytes, len)) {
		uart_irq_tx_enable(uart);
	}
}

bool serial_open(void)
{
	uint32_t dtr;

	return uart_line_ctrl_get(uart, UART_LINE_CTRL_DTR, &dtr) != 0 || dtr != 0;
}
