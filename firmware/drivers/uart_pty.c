/* UART of a simulated board on a pseudo-terminal of the computer that simulates it.
 *
 * Implements the interrupt-driven API. A timer simulates the line: in each direction it moves as many bytes as the baud
 * rate allows since the last tick, and calls the interrupt callback. A full FIFO stops the flow. Bytes to the board
 * then stay in the pseudo-terminal and in the end block the host's write. Bytes to the host stay in the FIFO. DTR is
 * set while a host has the port open. While none has, bytes to the host stay in the FIFO as well.
 *
 * A symbolic link leads to the port: --port=PATH, by default /tmp/pnc-…. SPDX-License-Identifier: Apache-2.0 */
#define DT_DRV_COMPAT pnc_uart_pty

#include "cmdline.h"
#include "soc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <zephyr/device.h>
#include <zephyr/drivers/uart.h>
#include <zephyr/kernel.h>

#include "uart_pty.h"

#define FIFO_BYTES 256
#define TICK_US 250
#define LINE_BITS_PER_BYTE 10 /* 8N1 */

struct fifo {
	uint8_t bytes[FIFO_BYTES];
	size_t first;
	size_t count;
};

static struct {
	int fd;
	bool host;        /* a host has the port open */
	char *path;       /* of the symbolic link, from the command line */
	char link[256];   /* path of the symbolic link, which is removed at the end */
	uint32_t baud;    /* from the command line; 0: current-speed */
	int64_t paced_us; /* the line has been simulated up to this time */
	struct fifo rx, tx;
	bool rx_irq, tx_irq;
	bool in_callback;
	uart_irq_callback_user_data_t callback;
	void *user;
	struct k_timer timer;
	const struct device *dev;
} port = {.fd = -1};

static size_t fifo_put(struct fifo *f, const uint8_t *bytes, size_t len)
{
	size_t n = MIN(len, FIFO_BYTES - f->count);

	for (size_t i = 0; i < n; i++) {
		f->bytes[(f->first + f->count + i) % FIFO_BYTES] = bytes[i];
	}
	f->count += n;
	return n;
}

static size_t fifo_peek(const struct fifo *f, uint8_t *bytes, size_t len)
{
	size_t n = MIN(len, f->count);

	for (size_t i = 0; i < n; i++) {
		bytes[i] = f->bytes[(f->first + i) % FIFO_BYTES];
	}
	return n;
}

static void fifo_drop(struct fifo *f, size_t n)
{
	f->first = (f->first + n) % FIFO_BYTES;
	f->count -= n;
}

static bool irq_due(void)
{
	return (port.rx_irq && port.rx.count > 0) || (port.tx_irq && port.tx.count < FIFO_BYTES);
}

static void raise_irq(void)
{
	if (port.callback != NULL && !port.in_callback && irq_due()) {
		port.in_callback = true;
		port.callback(port.dev, port.user);
		port.in_callback = false;
	}
}

/* Return true if a host has the port open: a pseudo-terminal whose other side is closed reports a hang-up. */
static bool host_there(void)
{
	struct pollfd p = {.fd = port.fd, .events = POLLIN};

	return poll(&p, 1, 0) >= 0 && !(p.revents & POLLHUP);
}

/* Move up to `budget` bytes in each direction. */
static void move(size_t budget)
{
	uint8_t bytes[FIFO_BYTES];
	size_t want = MIN(budget, FIFO_BYTES - port.rx.count);
	ssize_t n;

	port.host = host_there();
	if (want > 0) {
		/* Even if the host has closed the port: bytes that it wrote before may still be there. */
		n = read(port.fd, bytes, want);
		if (n > 0) {
			fifo_put(&port.rx, bytes, n);
		}
	}
	want = fifo_peek(&port.tx, bytes, budget);
	if (want > 0 && port.host) {
		n = write(port.fd, bytes, want);
		if (n > 0) {
			fifo_drop(&port.tx, n);
		}
	}
}

static void on_tick(struct k_timer *timer)
{
	int64_t now_us = k_ticks_to_us_floor64(k_uptime_ticks());
	int64_t us_per_byte_x1000 = (int64_t)USEC_PER_SEC * 1000 * LINE_BITS_PER_BYTE / port.baud;
	int64_t budget = (now_us - port.paced_us) * 1000 / us_per_byte_x1000;

	ARG_UNUSED(timer);
	if (budget > FIFO_BYTES) {
		budget = FIFO_BYTES;
		port.paced_us = now_us;
	} else {
		port.paced_us += budget * us_per_byte_x1000 / 1000;
	}
	move(budget);
	raise_irq();
}

static int pty_fifo_fill(const struct device *dev, const uint8_t *bytes, int len)
{
	ARG_UNUSED(dev);
	return fifo_put(&port.tx, bytes, len);
}

static int pty_fifo_read(const struct device *dev, uint8_t *bytes, const int len)
{
	size_t n = fifo_peek(&port.rx, bytes, len);

	ARG_UNUSED(dev);
	fifo_drop(&port.rx, n);
	return n;
}

static void pty_irq_tx_enable(const struct device *dev)
{
	ARG_UNUSED(dev);
	port.tx_irq = true; /* the next tick raises it */
}

static void pty_irq_tx_disable(const struct device *dev)
{
	ARG_UNUSED(dev);
	port.tx_irq = false;
}

static int pty_irq_tx_ready(const struct device *dev)
{
	ARG_UNUSED(dev);
	return port.tx_irq ? FIFO_BYTES - port.tx.count : 0;
}

static void pty_irq_rx_enable(const struct device *dev)
{
	ARG_UNUSED(dev);
	port.rx_irq = true;
}

static void pty_irq_rx_disable(const struct device *dev)
{
	ARG_UNUSED(dev);
	port.rx_irq = false;
}

static int pty_irq_rx_ready(const struct device *dev)
{
	ARG_UNUSED(dev);
	return port.rx_irq && port.rx.count > 0;
}

static int pty_irq_is_pending(const struct device *dev)
{
	ARG_UNUSED(dev);
	return irq_due();
}

static void pty_irq_callback_set(const struct device *dev, uart_irq_callback_user_data_t callback, void *user)
{
	ARG_UNUSED(dev);
	port.callback = callback;
	port.user = user;
}

static int pty_poll_in(const struct device *dev, unsigned char *byte)
{
	return pty_fifo_read(dev, byte, 1) == 1 ? 0 : -1;
}

static void pty_poll_out(const struct device *dev, unsigned char byte)
{
	(void)pty_fifo_fill(dev, &byte, 1);
}

static int pty_line_ctrl_get(const struct device *dev, uint32_t ctrl, uint32_t *value)
{
	ARG_UNUSED(dev);
	if (ctrl != UART_LINE_CTRL_DTR) {
		return -ENOTSUP;
	}
	*value = port.host;
	return 0;
}

static const struct uart_driver_api pty_api = {
	.poll_in = pty_poll_in,
	.poll_out = pty_poll_out,
	.fifo_fill = pty_fifo_fill,
	.fifo_read = pty_fifo_read,
	.irq_tx_enable = pty_irq_tx_enable,
	.irq_tx_disable = pty_irq_tx_disable,
	.irq_tx_ready = pty_irq_tx_ready,
	.irq_rx_enable = pty_irq_rx_enable,
	.irq_rx_disable = pty_irq_rx_disable,
	.irq_rx_ready = pty_irq_rx_ready,
	.irq_is_pending = pty_irq_is_pending,
	.irq_callback_set = pty_irq_callback_set,
#if defined(CONFIG_UART_LINE_CTRL)
	.line_ctrl_get = pty_line_ctrl_get,
#endif
};

static void fail(const char *what)
{
	posix_print_error_and_exit("serial port: %s: %s\n", what, strerror(errno));
}

/* Open the pseudo-terminal in raw mode and create the symbolic link. */
static void open_port(void)
{
	int slave;
	char name[64];
	struct termios raw;

	if (openpty(&port.fd, &slave, name, NULL, NULL) != 0) {
		fail("openpty");
	}
	tcgetattr(slave, &raw);
	cfmakeraw(&raw);
	tcsetattr(slave, TCSANOW, &raw);
	close(slave); /* so that a hang-up is reported when the host closes the port */
	fcntl(port.fd, F_SETFL, O_NONBLOCK);
	fcntl(port.fd, F_SETFD, FD_CLOEXEC);
	if (port.path != NULL) {
		snprintf(port.link, sizeof(port.link), "%s", port.path);
	} else {
		uart_pty_default_link(port.link, sizeof(port.link));
	}
	unlink(port.link);
	if (symlink(name, port.link) != 0) {
		fail(port.link);
	}
}

static int pty_init(const struct device *dev)
{
	port.dev = dev;
	if (port.baud == 0) {
		port.baud = DT_INST_PROP(0, current_speed);
	}
	uart_pty_keep_pace();
	open_port();
	k_timer_init(&port.timer, on_tick, NULL);
	k_timer_start(&port.timer, K_USEC(TICK_US), K_USEC(TICK_US));
	return 0;
}

DEVICE_DT_INST_DEFINE(0, pty_init, NULL, NULL, NULL, POST_KERNEL, CONFIG_SERIAL_INIT_PRIORITY, &pty_api);

static void pty_options(void)
{
	static struct args_struct_t options[] = {
		{.option = "port",
		 .name = "path",
		 .type = 's',
		 .dest = (void *)&port.path,
		 .descript = "Symbolic link to the pseudo-terminal of the serial port"},
		{.option = "baud",
		 .name = "rate",
		 .type = 'u',
		 .dest = (void *)&port.baud,
		 .descript = "Speed of the serial port, instead of the device tree's"},
		ARG_TABLE_ENDMARKER,
	};

	native_add_command_line_opts(options);
}

static void pty_cleanup(void)
{
	if (port.link[0] != 0) {
		unlink(port.link);
	}
	if (port.fd >= 0) {
		close(port.fd);
	}
}

NATIVE_TASK(pty_options, PRE_BOOT_1, 20);
NATIVE_TASK(pty_cleanup, ON_EXIT, 20);
