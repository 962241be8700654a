/* Lets the emulated serial port interrupt while a byte waits in it, as the port of a real chip does.
 *
 * MPS2's port interrupts only when a byte comes. One that comes after MCUboot has emptied the port and before it
 * enables the interrupt stays there, and the port takes no other. On a computer's own line the next byte comes at once,
 * so that happens; MCUboot then hears nothing until the next reset. */
#include <zephyr/device.h>
#include <zephyr/drivers/uart.h>
#include <zephyr/init.h>
#include <zephyr/irq.h>
#include <zephyr/kernel.h>

#define PORT DT_CHOSEN(zephyr_uart_mcumgr)
#define EVERY K_MSEC(10)

static void look(struct k_timer *timer)
{
	ARG_UNUSED(timer);
	if (uart_irq_rx_ready(DEVICE_DT_GET(PORT)) > 0) {
		NVIC_SetPendingIRQ(DT_IRQ_BY_NAME(PORT, rx, irq));
	}
}

K_TIMER_DEFINE(timer, look, NULL);

static int start(void)
{
	k_timer_start(&timer, EVERY, EVERY);
	return 0;
}

SYS_INIT(start, APPLICATION, CONFIG_APPLICATION_INIT_PRIORITY);
