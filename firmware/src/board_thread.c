#include "board_thread.h"

#include <zephyr/kernel.h>

#include "serial.h"
#include "supervision.h"

#define STACK_BYTES 1280 /* `make stacks` measures what it uses */
#define PRIORITY 6
#define TICK_MS 5
#define CHUNK_BYTES 64

static K_MUTEX_DEFINE(lock);
static K_SEM_DEFINE(work, 0, 1);
static K_THREAD_STACK_DEFINE(stack, STACK_BYTES);
static struct k_thread thread;
static struct pnc_board board;

static uint32_t now_us(void)
{
	return (uint32_t)k_ticks_to_us_floor64(k_uptime_ticks());
}

void board_wake(void)
{
	/* The board's own thread ends each turn by writing as much as there is room for. If it woke itself, it would
	 * loop without end while there is no room. */
	if (k_current_get() != &thread) {
		k_sem_give(&work);
	}
}

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
	leds_note_traffic();
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

uint8_t board_radio_phy(int8_t rssi_dbm)
{
	uint8_t phy;

	k_mutex_lock(&lock, K_FOREVER);
	phy = pnc_board_radio_phy(&board, now_us(), rssi_dbm);
	k_mutex_unlock(&lock);
	return phy;
}

uint32_t board_silent_ms(void)
{
	uint32_t silent_ms;

	k_mutex_lock(&lock, K_FOREVER);
	silent_ms = pnc_board_silent_ms(&board);
	k_mutex_unlock(&lock);
	return silent_ms;
}

void board_pairing_changed(void)
{
	k_mutex_lock(&lock, K_FOREVER);
	pnc_board_pairing_changed(&board, now_us());
	k_mutex_unlock(&lock);
}

void board_fault(enum pnc_error_code code, uint32_t detail)
{
	k_mutex_lock(&lock, K_FOREVER);
	pnc_board_fault(&board, now_us(), code, detail);
	k_mutex_unlock(&lock);
}

static void on_serial_event(void)
{
	k_sem_give(&work);
}

/* Detect that the host closed the port: nobody waits for its pictures any more. */
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
	uint8_t bytes[CHUNK_BYTES];

	/* At most one buffer of bytes at a time, so that a flood does not block the other direction. */
	for (int left = CONFIG_PNC_SERIAL_RX_BYTES; left > 0; left -= CHUNK_BYTES) {
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
	uint8_t bytes[CHUNK_BYTES];
	size_t n;

	do {
		k_mutex_lock(&lock, K_FOREVER);
		n = pnc_board_serial_tx(&board, now_us(), bytes, MIN(sizeof(bytes), serial_room()));
		k_mutex_unlock(&lock);
		serial_write(bytes, n); /* also if n is 0: it restarts the transmission of what still waits */
	} while (n > 0);
}

static void run_board(void *a, void *b, void *c)
{
	ARG_UNUSED(a);
	ARG_UNUSED(b);
	ARG_UNUSED(c);
	for (;;) {
		k_sem_take(&work, K_MSEC(TICK_MS)); /* woken or not, it looks */
		watch_host();
		from_serial();
		k_mutex_lock(&lock, K_FOREVER);
		pnc_board_tick(&board, now_us());
		k_mutex_unlock(&lock);
		to_serial();
		watchdog_feed(WATCHDOG_BOARD);
	}
}

void board_start(const struct pnc_board_identity *identity, const struct pnc_board_ops *ops)
{
	pnc_board_init(&board, identity, ops, NULL, now_us());
	if (!serial_start(on_serial_event)) {
		leds_show_error();
	}
	k_thread_create(&thread, stack, K_THREAD_STACK_SIZEOF(stack), run_board, NULL, NULL, NULL, PRIORITY, 0,
			K_NO_WAIT);
	k_thread_name_set(&thread, "board");
}
