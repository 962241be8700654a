#include "board_thread.h"

#include <zephyr/kernel.h>

#include "care.h"
#include "radio.h"
#include "serial.h"

#define STACK_BYTES 2048
#define PRIORITY 6
#define TICK_MS 5
#define PIECE_BYTES 64

static K_MUTEX_DEFINE(lock);
static K_SEM_DEFINE(work, 0, 1);
static K_THREAD_STACK_DEFINE(stack, STACK_BYTES);
static struct k_thread thread;
static struct pnc_board board;

static uint32_t now_us(void)
{
	return (uint32_t)k_ticks_to_us_floor64(k_uptime_ticks());
}

static void wake(void *user)
{
	ARG_UNUSED(user);
	/* The board's own thread writes what there is room for at the end of its turn anyway; without room, waking
	 * itself would make it turn for ever. */
	if (k_current_get() != &thread) {
		k_sem_give(&work);
	}
	radio_wake();
}

static bool configure(void *user, const struct pnc_configure *configuration)
{
	ARG_UNUSED(user);
	return radio_configure(configuration);
}

static bool pair(void *user, const struct pnc_pair *pair)
{
	ARG_UNUSED(user);
	return radio_pair(pair);
}

static void pairing(void *user, struct pnc_pairing *pairing)
{
	ARG_UNUSED(user);
	radio_pairing(pairing);
}

static bool reset(void *user, uint8_t kind)
{
	ARG_UNUSED(user);
	return care_ask_reset(kind);
}

static int8_t rssi_dbm(void *user, uint8_t peer)
{
	ARG_UNUSED(user);
	return radio_rssi_dbm(peer);
}

static const struct pnc_board_ops ops = {
	.configure = configure,
	.pair = pair,
	.pairing = pairing,
	.reset = reset,
	.rssi_dbm = rssi_dbm,
	.wake = wake,
};

void board_radio_up(uint8_t peer, const struct pnc_radio_link *link)
{
	k_mutex_lock(&lock, K_FOREVER);
	pnc_board_radio_up(&board, now_us(), peer, link);
	k_mutex_unlock(&lock);
}

void board_radio_down(uint8_t peer, uint8_t reason)
{
	k_mutex_lock(&lock, K_FOREVER);
	pnc_board_radio_down(&board, now_us(), peer, reason);
	k_mutex_unlock(&lock);
}

void board_radio_rx(uint8_t peer, const uint8_t *packet, size_t len)
{
	k_mutex_lock(&lock, K_FOREVER);
	pnc_board_radio_rx(&board, now_us(), peer, packet, len);
	k_mutex_unlock(&lock);
	care_traffic();
}

void board_radio_sent(uint8_t peer)
{
	k_mutex_lock(&lock, K_FOREVER);
	pnc_board_radio_sent(&board, now_us(), peer);
	k_mutex_unlock(&lock);
}

size_t board_radio_tx(uint8_t peer, uint8_t *out)
{
	size_t len;

	k_mutex_lock(&lock, K_FOREVER);
	len = pnc_board_radio_tx(&board, now_us(), peer, out);
	k_mutex_unlock(&lock);
	return len;
}

void board_pairing_changed(void)
{
	k_mutex_lock(&lock, K_FOREVER);
	pnc_board_pairing_changed(&board, now_us());
	k_mutex_unlock(&lock);
}

static void on_serial_event(void)
{
	k_sem_give(&work);
}

/* A host that opens the port greets the board; one that closes it takes its pictures along. */
static void watch_host(void)
{
	static bool was_open;
	bool open = serial_open();

	if (was_open && !open) {
		k_mutex_lock(&lock, K_FOREVER);
		pnc_board_serial_closed(&board, now_us());
		k_mutex_unlock(&lock);
	}
	was_open = open;
}

static void from_serial(void)
{
	uint8_t bytes[PIECE_BYTES];

	/* No more than what waited at first: a flood must not keep the other direction from its turn. */
	for (int left = CONFIG_PNC_SERIAL_RX_BYTES; left > 0; left -= PIECE_BYTES) {
		size_t n = serial_read(bytes, sizeof(bytes));

		if (n == 0) {
			return;
		}
		k_mutex_lock(&lock, K_FOREVER);
		pnc_board_serial_rx(&board, now_us(), bytes, n);
		k_mutex_unlock(&lock);
	}
	k_sem_give(&work);
}

static void to_serial(void)
{
	uint8_t bytes[PIECE_BYTES];
	size_t n;

	do {
		k_mutex_lock(&lock, K_FOREVER);
		n = pnc_board_serial_tx(&board, now_us(), bytes, MIN(sizeof(bytes), serial_room()));
		k_mutex_unlock(&lock);
		serial_write(bytes, n); /* also with nothing new: what waits is put on its way again */
	} while (n > 0);
}

static void run(void *a, void *b, void *c)
{
	ARG_UNUSED(a);
	ARG_UNUSED(b);
	ARG_UNUSED(c);
	for (;;) {
		(void)k_sem_take(&work, K_MSEC(TICK_MS));
		watch_host();
		from_serial();
		k_mutex_lock(&lock, K_FOREVER);
		pnc_board_tick(&board, now_us());
		k_mutex_unlock(&lock);
		to_serial();
		care_alive(CARE_BOARD);
	}
}

void board_start(const struct pnc_board_identity *identity)
{
	pnc_board_init(&board, identity, &ops, NULL, now_us());
	if (!serial_start(on_serial_event)) {
		care_error();
	}
	k_thread_create(&thread, stack, K_THREAD_STACK_SIZEOF(stack), run, NULL, NULL, NULL, PRIORITY, 0, K_NO_WAIT);
	k_thread_name_set(&thread, "board");
}
