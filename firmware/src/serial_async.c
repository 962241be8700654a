/* The serial port by the asynchronous UART API, for drivers with DMA: one interrupt for a block of bytes or for a pause
 * between bytes, where the interrupt-driven API (serial.c) has one for every byte that arrives. */
#include "serial.h"

#include <string.h>

#include <zephyr/device.h>
#include <zephyr/drivers/uart.h>
#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>
#include <zephyr/sys/ring_buffer.h>

#include "serial_tx.h"

LOG_MODULE_REGISTER(pnc_serial, CONFIG_PNC_LOG_LEVEL);

/* A block takes 0.64 ms at 1 Mbaud, and is long enough for the driver to chain it to the one before. */
#define BLOCK_BYTES 64
#define BLOCKS (CONFIG_PNC_SERIAL_RX_BYTES / BLOCK_BYTES)

/* The driver fills one block and holds the next one. */
BUILD_ASSERT(BLOCKS >= 4);
/* Counters that overflow keep their place only if the number of places divides 2^32. */
BUILD_ASSERT((BLOCKS & (BLOCKS - 1)) == 0 && CONFIG_PNC_SERIAL_RX_BYTES % BLOCK_BYTES == 0);
#if defined(CONFIG_SOC_NRF52832)
/* Its DMA counts the bytes of a transfer with 8 bits. */
BUILD_ASSERT(CONFIG_PNC_SERIAL_TX_BYTES <= UINT8_MAX);
#endif

static const struct device *const uart = DEVICE_DT_GET(SERIAL_NODE);

/* Blocks are used in turn. The interrupt gives them to the driver and notes what arrived; the board's thread reads
 * them. Both counters only grow; a block's place is the counter modulo BLOCKS. */
static uint8_t blocks[BLOCKS][BLOCK_BYTES];
static atomic_t filled[BLOCKS];     /* bytes that arrived in a block */
static ATOMIC_DEFINE(held, BLOCKS); /* the driver has the block */
static atomic_t given;              /* blocks given to the driver so far */
static atomic_t taken;              /* blocks read completely so far */
static size_t read_at;              /* in the block that is read now */
static atomic_t stopped;            /* the driver has no block and receives nothing: flow control stops the host */

/* Whoever has set it takes bytes from the ring. */
static atomic_t sending;

static void (*notify)(void);

/* Return the next free block, which the driver holds from now on; NULL if there is none. */
static uint8_t *give(void)
{
	size_t at = (size_t)atomic_get(&given) % BLOCKS;

	if (atomic_get(&given) - atomic_get(&taken) >= BLOCKS) {
		return NULL;
	}
	atomic_set(&filled[at], 0);
	atomic_set_bit(held, at);
	atomic_inc(&given);
	return blocks[at];
}

static size_t block_of(const uint8_t *bytes)
{
	return (size_t)(bytes - blocks[0]) / BLOCK_BYTES;
}

/* Start to receive. From the board's thread, while the driver has no block. */
static bool receive(void)
{
	uint8_t *block = give();
	int error;

	atomic_clear(&stopped);
	error = uart_rx_enable(uart, block, BLOCK_BYTES, CONFIG_PNC_SERIAL_PAUSE_US);
	if (error != 0) {
		LOG_WRN("receiving does not start: %d", error);
		atomic_dec(&given);
		atomic_clear_bit(held, block_of(block));
		atomic_set(&stopped, 1); /* the next serial_read tries again */
	}
	return error == 0;
}

/* Let the driver send what waits. Only by whoever has set `sending`. */
static void transmit(void)
{
	uint8_t *bytes;
	uint32_t len = ring_buf_get_claim(&serial_tx_ring, &bytes, CONFIG_PNC_SERIAL_TX_BYTES);

	if (len == 0 || uart_tx(uart, bytes, len, SYS_FOREVER_US) != 0) {
		ring_buf_get_finish(&serial_tx_ring, 0); /* of 0 bytes it cannot fail */
		atomic_clear(&sending);                  /* the next serial_write tries again */
	}
}

static void on_event(const struct device *dev, struct uart_event *event, void *user)
{
	uint8_t *block;

	ARG_UNUSED(user);
	switch (event->type) {
	case UART_RX_BUF_REQUEST:
		block = give();
		if (block != NULL && uart_rx_buf_rsp(dev, block, BLOCK_BYTES) != 0) {
			atomic_dec(&given); /* the driver has stopped meanwhile */
			atomic_clear_bit(held, block_of(block));
		}
		return;
	case UART_RX_RDY:
		atomic_set(&filled[block_of(event->data.rx.buf)], event->data.rx.offset + event->data.rx.len);
		break;
	case UART_RX_BUF_RELEASED:
		atomic_clear_bit(held, block_of(event->data.rx_buf.buf));
		break;
	case UART_RX_DISABLED:
		atomic_set(&stopped, 1);
		break;
	case UART_TX_DONE:
	case UART_TX_ABORTED:
		if (ring_buf_get_finish(&serial_tx_ring, event->data.tx.len) != 0) {
			LOG_ERR("%u bytes sent that were not claimed", (unsigned int)event->data.tx.len);
		}
		transmit();
		break;
	default: /* UART_RX_STOPPED, an error on the line: UART_RX_DISABLED follows */
		return;
	}
	notify();
}

bool serial_start(void (*event)(void))
{
	notify = event;
	return device_is_ready(uart) && uart_callback_set(uart, on_event, NULL) == 0 && receive();
}

size_t serial_read(uint8_t *out, size_t room)
{
	size_t n = 0;

	while (n < room && atomic_get(&taken) != atomic_get(&given)) {
		size_t at = (size_t)atomic_get(&taken) % BLOCKS;
		bool last = !atomic_test_bit(held, at); /* asked first: afterwards nothing more arrives in it */
		size_t part = MIN((size_t)atomic_get(&filled[at]) - read_at, room - n);

		memcpy(out + n, blocks[at] + read_at, part);
		n += part;
		read_at += part;
		if (!last || read_at < (size_t)atomic_get(&filled[at])) {
			break;
		}
		read_at = 0;
		atomic_inc(&taken);
	}
	if (atomic_get(&stopped) && atomic_get(&taken) == atomic_get(&given)) {
		receive(); /* tried again if it fails */
	}
	return n;
}

void serial_write(const uint8_t *bytes, size_t len)
{
	if (serial_tx_put(bytes, len) && atomic_cas(&sending, 0, 1)) {
		transmit();
	}
}

bool serial_open(void)
{
	return true; /* such a port has no line that tells */
}
