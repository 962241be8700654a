/* Generated from wire.toml by `python protocol/generate.py`: change that file, not this one. */
/* clang-format off */
#ifndef PNC_WIRE_H
#define PNC_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PNC_VERSION 2u
#define PNC_MAX_PACKET 244u /* bytes in the largest packet: one notification at ATT MTU 247 */
#define PNC_MAX_RANKS 256u /* ranked packets in one picture */
#define PNC_MAX_SOURCES 16u /* cameras that one edge board can tell apart */
#define PNC_FRAME_OVERHEAD 5u /* bytes a serial frame adds before COBS: sequence number and CRC-32 */
#define PNC_MAX_FRAME 250u /* bytes in the largest frame as COBS writes it, without the zero byte that closes it */
#define PNC_MAX_DEADLINE_MS 65535u /* longest remaining time that fits the header */
#define PNC_MISSING_WINDOW 32u /* sequence numbers that credit.missing looks back */
#define PNC_CREDIT_REFRESH_MS 50u /* a board with work repeats its credit at least this often */
#define PNC_FIRST_FAULT 8u /* from this error_code on an error is a fault of the board itself */
#define PNC_HELLO_NAME 24u /* bytes of hello.name that a reader keeps */
#define PNC_PICTURE_IMAGE_AT 1u /* offset of image, u16, in a picture packet */
#define PNC_PICTURE_RANK_AT 3u /* offset of rank, u8, in a picture packet */
#define PNC_PICTURE_POSITION_AT 4u /* offset of position, u16, in a picture packet */
#define PNC_PICTURE_REMAINING_AT 6u /* offset of remaining_ms, u16, in a picture packet */
#define PNC_PICTURE_HEADER 8u /* bytes before the codec bytes of a picture packet */
#define PNC_MAX_CODEC_BYTES 236u /* codec bytes in a full picture packet */

/* UUIDs: the parts between the dashes, as numbers. */
#define PNC_SERVICE_UUID 0x504e4301, 0x8c1e, 0x4b0a, 0x9d53, 0x2f6b7a1c54e1 /* the GATT service of a camera board */
#define PNC_TO_EDGE_UUID 0x504e4302, 0x8c1e, 0x4b0a, 0x9d53, 0x2f6b7a1c54e1 /* its characteristic towards the central: notifications */
#define PNC_TO_CAMERA_UUID 0x504e4303, 0x8c1e, 0x4b0a, 0x9d53, 0x2f6b7a1c54e1 /* its characteristic towards the peripheral: writes without response */

/* Bits of a picture packet's first byte. */
enum pnc_picture_flags {
	PNC_PICTURE_FLAGS_PICTURE = 0x80, /* set: this is a picture packet; clear: a control packet */
	PNC_PICTURE_FLAGS_LAST = 0x40, /* this rank is the picture's last */
	PNC_PICTURE_FLAGS_PROGRAM = 0x30, /* the program that sent the picture: its session at the camera board, modulo 4 */
	PNC_PICTURE_FLAGS_SOURCE = 0xf, /* on the edge's serial port: number of the camera; elsewhere zero */
};

/* Kind of the sender of a hello. */
enum pnc_kind {
	PNC_KIND_HOST = 0x0, /* a program on a serial port */
	PNC_KIND_BOARD = 0x1, /* a board */
};

/* Role of a board. */
enum pnc_role {
	PNC_ROLE_NONE = 0x0, /* not configured: the radio is off */
	PNC_ROLE_CAMERA = 0x1, /* GATT peripheral: sends pictures */
	PNC_ROLE_EDGE = 0x2, /* GATT central: receives pictures */
};

/* Bluetooth LE physical layer. */
enum pnc_phy {
	PNC_PHY_KEEP = 0x0, /* in configure: do not change it */
	PNC_PHY_LE_1M = 0x1, /* 1 Mbit/s */
	PNC_PHY_LE_2M = 0x2, /* 2 Mbit/s */
	PNC_PHY_CODED_S2 = 0x3, /* long range, 500 kbit/s */
	PNC_PHY_CODED_S8 = 0x4, /* long range, 125 kbit/s */
	PNC_PHY_AUTO = 0x5, /* in configure: the camera board chooses by the conditions */
};

/* Bits of hello.capabilities. */
enum pnc_capability {
	PNC_CAPABILITY_PHY_2M = 0x1, /* LE 2M */
	PNC_CAPABILITY_PHY_CODED = 0x2, /* LE coded */
	PNC_CAPABILITY_USB = 0x4, /* the serial port is the board's own USB */
	PNC_CAPABILITY_VIRTUAL = 0x8, /* a virtual board */
	PNC_CAPABILITY_BOOTLOADER = 0x10, /* reset can start its bootloader */
};

/* Cause of a board's start. */
enum pnc_boot {
	PNC_BOOT_POWER = 0x0, /* power on or unknown */
	PNC_BOOT_PIN = 0x1, /* reset pin */
	PNC_BOOT_SOFTWARE = 0x2, /* reset by software */
	PNC_BOOT_WATCHDOG = 0x3, /* the watchdog bit */
	PNC_BOOT_FAULT = 0x4, /* a fatal error */
};

/* Hop that answers a ping. */
enum pnc_hop {
	PNC_HOP_BOARD = 0x0, /* the board on the serial port */
	PNC_HOP_PEER_BOARD = 0x1, /* the board across the radio */
	PNC_HOP_PEER_HOST = 0x2, /* the program on that board's serial port */
};

/* State of one radio connection. */
enum pnc_link_state {
	PNC_LINK_STATE_DOWN = 0x0, /* not connected */
	PNC_LINK_STATE_UP = 0x1, /* connected, both boards have said hello */
	PNC_LINK_STATE_REFUSED = 0x2, /* the board across speaks another protocol version */
};

/* Outcome of an image. */
enum pnc_result_status {
	PNC_RESULT_STATUS_OK = 0x0, /* classified */
	PNC_RESULT_STATUS_NOTHING = 0x1, /* no decodable packet arrived by the deadline */
	PNC_RESULT_STATUS_FAILED = 0x2, /* the server could not decode or classify; the text says why */
};

/* Cause of an error. */
enum pnc_error_code {
	PNC_ERROR_CODE_VERSION = 0x1, /* unsupported protocol version; detail: the version that the board speaks */
	PNC_ERROR_CODE_NOT_READY = 0x2, /* a packet before hello, or a picture in a role that sends none; detail: role */
	PNC_ERROR_CODE_MALFORMED = 0x3, /* a packet too short or with illegal values; detail: its type */
	PNC_ERROR_CODE_OVERRUN = 0x4, /* a picture packet beyond the credit evicted another or was dropped; detail: its rank */
	PNC_ERROR_CODE_NO_LINK = 0x5, /* the addressed peer is not connected; detail: peer */
	PNC_ERROR_CODE_CONFIGURE = 0x6, /* the configuration cannot be applied; detail: number of the first illegal field */
	PNC_ERROR_CODE_REFUSED = 0x7, /* this board cannot pair or reset in that way; detail: the packet's type */
	PNC_ERROR_CODE_BLUETOOTH = 0x8, /* Bluetooth does not start, makes no key for pairing, or refused a command */
	PNC_ERROR_CODE_SETTINGS = 0x9, /* role, radio settings or bonds cannot be read or stored; 1000: they were erased */
	PNC_ERROR_CODE_WATCHDOG = 0xa, /* the watchdog does not watch every part of the board */
	PNC_ERROR_CODE_ADVERTISE = 0xb, /* camera: it cannot advertise */
	PNC_ERROR_CODE_SCAN = 0xc, /* edge: it cannot look for cameras or connect to one */
	PNC_ERROR_CODE_SERVICE = 0xd, /* edge: discovery of a camera's service, or the subscription, failed */
	PNC_ERROR_CODE_PAIRING = 0xe, /* who may pair cannot be decided: no board pairs */
	PNC_ERROR_CODE_STUCK = 0xf, /* the radio took no packet for too long and the connection was ended; lower bits: peer */
	PNC_ERROR_CODE_BONDS_FULL = 0x10, /* a board may not pair because there is no room for its bond; lower bits: bonds */
};

/* Request of pair. */
enum pnc_pair_action {
	PNC_PAIR_ACTION_REPORT = 0x0, /* report the state */
	PNC_PAIR_ACTION_OPEN = 0x1, /* let unknown boards pair for window_s */
	PNC_PAIR_ACTION_CLOSE = 0x2, /* let no board pair */
	PNC_PAIR_ACTION_FORGET = 0x3, /* delete the bond with address; all zero: every bond */
};

/* How two boards authenticate each other when they pair. */
enum pnc_pair_method {
	PNC_PAIR_METHOD_JUST_WORKS = 0x0, /* not at all: any board that pairs in the window is trusted from then on */
	PNC_PAIR_METHOD_OUT_OF_BAND = 0x1, /* the hosts carry the random and confirm values of one board to the other */
};

/* Program that a reset starts. */
enum pnc_reset_kind {
	PNC_RESET_KIND_FIRMWARE = 0x0, /* the firmware */
	PNC_RESET_KIND_BOOTLOADER = 0x1, /* the bootloader, which waits for new firmware */
};

/* First byte of a control packet. */
enum pnc_type {
	PNC_TYPE_HELLO = 0x01,
	PNC_TYPE_CONFIGURE = 0x02,
	PNC_TYPE_CREDIT = 0x03,
	PNC_TYPE_FLUSH = 0x04,
	PNC_TYPE_STATISTICS_REQUEST = 0x05,
	PNC_TYPE_STATISTICS = 0x06,
	PNC_TYPE_PING = 0x07,
	PNC_TYPE_PONG = 0x08,
	PNC_TYPE_RESULT = 0x09,
	PNC_TYPE_LINK = 0x0a,
	PNC_TYPE_LOG = 0x0b,
	PNC_TYPE_ERROR = 0x0c,
	PNC_TYPE_PAIR = 0x0d,
	PNC_TYPE_PAIRING = 0x0e,
	PNC_TYPE_REPEAT = 0x10,
	PNC_TYPE_RESET = 0x0f,
};

static inline void pnc_put16(uint8_t *out, uint16_t v)
{
	out[0] = (uint8_t)(v >> 0);
	out[1] = (uint8_t)(v >> 8);
}

static inline uint16_t pnc_get16(const uint8_t *in)
{
	return (uint16_t)(((uint16_t)in[0] << 0) | ((uint16_t)in[1] << 8));
}

static inline void pnc_put32(uint8_t *out, uint32_t v)
{
	out[0] = (uint8_t)(v >> 0);
	out[1] = (uint8_t)(v >> 8);
	out[2] = (uint8_t)(v >> 16);
	out[3] = (uint8_t)(v >> 24);
}

static inline uint32_t pnc_get32(const uint8_t *in)
{
	return (uint32_t)(((uint32_t)in[0] << 0) | ((uint32_t)in[1] << 8) | ((uint32_t)in[2] << 16) | ((uint32_t)in[3] << 24));
}

static inline void pnc_put64(uint8_t *out, uint64_t v)
{
	out[0] = (uint8_t)(v >> 0);
	out[1] = (uint8_t)(v >> 8);
	out[2] = (uint8_t)(v >> 16);
	out[3] = (uint8_t)(v >> 24);
	out[4] = (uint8_t)(v >> 32);
	out[5] = (uint8_t)(v >> 40);
	out[6] = (uint8_t)(v >> 48);
	out[7] = (uint8_t)(v >> 56);
}

static inline uint64_t pnc_get64(const uint8_t *in)
{
	return (uint64_t)(((uint64_t)in[0] << 0) | ((uint64_t)in[1] << 8) | ((uint64_t)in[2] << 16) | ((uint64_t)in[3] << 24) | ((uint64_t)in[4] << 32) | ((uint64_t)in[5] << 40) | ((uint64_t)in[6] << 48) | ((uint64_t)in[7] << 56));
}


/* Opens a session, in both directions on every hop. The first three bytes never change. */
#define PNC_HELLO_SIZE 28u
struct pnc_hello {
	uint8_t peer; /* on the edge's serial port: number of the camera; else 0 */
	uint8_t version; /* protocol version */
	uint8_t kind; /* kind of the sender */
	uint8_t role; /* role of the board; of a host: 0 */
	uint8_t boot; /* boot: cause of the board's start; of a host: 0 */
	uint32_t capabilities; /* capability bits */
	uint8_t firmware[3]; /* major, minor, patch */
	uint8_t slots; /* picture packets the board's queue holds */
	uint8_t in_flight; /* most packets that the board has in its radio at a time */
	uint8_t sessions; /* sessions of programs that this board has opened, from any number on, modulo 256; of a host: 0 */
	uint32_t session; /* chosen at each start; another value means a restart */
	uint64_t board_id; /* unique number of the board; of a host: 0 */
	const uint8_t *name; /* UTF-8, at most 24 bytes */
	uint8_t name_len;
};

/* Writes PNC_HELLO_SIZE bytes and the rest; returns their number. */
static inline size_t pnc_hello_write(const struct pnc_hello *p, uint8_t *out)
{
	out[0] = PNC_TYPE_HELLO;
	out[1] = p->peer;
	out[2] = (uint8_t)p->version;
	out[3] = (uint8_t)p->kind;
	out[4] = (uint8_t)p->role;
	out[5] = (uint8_t)p->boot;
	pnc_put32(out + 6, (uint32_t)p->capabilities);
	memcpy(out + 10, p->firmware, 3);
	out[13] = (uint8_t)p->slots;
	out[14] = (uint8_t)p->in_flight;
	out[15] = (uint8_t)p->sessions;
	pnc_put32(out + 16, (uint32_t)p->session);
	pnc_put64(out + 20, (uint64_t)p->board_id);
	if (p->name_len > 0) {
		memcpy(out + 28, p->name, p->name_len);
	}
	return 28u + p->name_len;
}

/* False if in[0..len) is too short or longer than PNC_MAX_PACKET. The rest stays in `in`. */
static inline bool pnc_hello_read(struct pnc_hello *p, const uint8_t *in, size_t len)
{
	if (len < PNC_HELLO_SIZE || len > PNC_MAX_PACKET) {
		return false;
	}
	p->peer = in[1];
	p->version = (uint8_t)in[2];
	p->kind = (uint8_t)in[3];
	p->role = (uint8_t)in[4];
	p->boot = (uint8_t)in[5];
	p->capabilities = (uint32_t)pnc_get32(in + 6);
	memcpy(p->firmware, in + 10, 3);
	p->slots = (uint8_t)in[13];
	p->in_flight = (uint8_t)in[14];
	p->sessions = (uint8_t)in[15];
	p->session = (uint32_t)pnc_get32(in + 16);
	p->board_id = (uint64_t)pnc_get64(in + 20);
	p->name = in + 28;
	p->name_len = (uint8_t)(len - 28u);
	return true;
}

/* Host to board: role and radio. Answered by hello, or by error. */
#define PNC_CONFIGURE_SIZE 16u
struct pnc_configure {
	uint8_t peer; /* on the edge's serial port: number of the camera; else 0 */
	uint8_t role; /* role */
	uint8_t phy; /* phy */
	int8_t tx_power_dbm; /* transmit power; 127: do not change it */
	uint8_t address_type; /* type of address: 0 public, 1 random */
	uint8_t address[6]; /* the only peer allowed; all zero: any bonded board */
	uint32_t interval_us; /* connection interval, 7,500 to 4,000,000; 0: do not change it */
};

/* Writes PNC_CONFIGURE_SIZE bytes; returns their number. */
static inline size_t pnc_configure_write(const struct pnc_configure *p, uint8_t *out)
{
	out[0] = PNC_TYPE_CONFIGURE;
	out[1] = p->peer;
	out[2] = (uint8_t)p->role;
	out[3] = (uint8_t)p->phy;
	out[4] = (uint8_t)p->tx_power_dbm;
	out[5] = (uint8_t)p->address_type;
	memcpy(out + 6, p->address, 6);
	pnc_put32(out + 12, (uint32_t)p->interval_us);
	return 16u;
}

/* False if in[0..len) is too short or longer than PNC_MAX_PACKET.  */
static inline bool pnc_configure_read(struct pnc_configure *p, const uint8_t *in, size_t len)
{
	if (len < PNC_CONFIGURE_SIZE || len > PNC_MAX_PACKET) {
		return false;
	}
	p->peer = in[1];
	p->role = (uint8_t)in[2];
	p->phy = (uint8_t)in[3];
	p->tx_power_dbm = (int8_t)in[4];
	p->address_type = (uint8_t)in[5];
	memcpy(p->address, in + 6, 6);
	p->interval_us = (uint32_t)pnc_get32(in + 12);
	return true;
}

/* Board to host: frames received, free slots, packets sent. Every value is a running total or a state, so a lost credit costs nothing. */
#define PNC_CREDIT_SIZE 24u
struct pnc_credit {
	uint8_t peer; /* on the edge's serial port: number of the camera; else 0 */
	uint8_t next_seq; /* sequence number that the board expects next */
	uint8_t damaged; /* total of frames with a bad COBS code or CRC, modulo 256 */
	uint32_t missing; /* bit k set: the frame next_seq - 1 - k never arrived intact */
	uint16_t taken; /* picture packets received intact since hello, modulo 65536 */
	uint8_t waiting; /* picture packets in the queue */
	uint8_t free; /* empty slots of the queue */
	uint8_t in_radio; /* packets handed to the radio and not yet acknowledged */
	uint8_t link; /* link_state of the connection that carries pictures */
	uint16_t acked_packets; /* picture packets acknowledged by the link layer, modulo 65536 */
	uint32_t acked_bytes; /* codec bytes in them, modulo 2**32 */
	uint32_t busy_us; /* time in which the queue or the radio held a picture packet, modulo 2**32 */
};

/* Writes PNC_CREDIT_SIZE bytes; returns their number. */
static inline size_t pnc_credit_write(const struct pnc_credit *p, uint8_t *out)
{
	out[0] = PNC_TYPE_CREDIT;
	out[1] = p->peer;
	out[2] = (uint8_t)p->next_seq;
	out[3] = (uint8_t)p->damaged;
	pnc_put32(out + 4, (uint32_t)p->missing);
	pnc_put16(out + 8, (uint16_t)p->taken);
	out[10] = (uint8_t)p->waiting;
	out[11] = (uint8_t)p->free;
	out[12] = (uint8_t)p->in_radio;
	out[13] = (uint8_t)p->link;
	pnc_put16(out + 14, (uint16_t)p->acked_packets);
	pnc_put32(out + 16, (uint32_t)p->acked_bytes);
	pnc_put32(out + 20, (uint32_t)p->busy_us);
	return 24u;
}

/* False if in[0..len) is too short or longer than PNC_MAX_PACKET.  */
static inline bool pnc_credit_read(struct pnc_credit *p, const uint8_t *in, size_t len)
{
	if (len < PNC_CREDIT_SIZE || len > PNC_MAX_PACKET) {
		return false;
	}
	p->peer = in[1];
	p->next_seq = (uint8_t)in[2];
	p->damaged = (uint8_t)in[3];
	p->missing = (uint32_t)pnc_get32(in + 4);
	p->taken = (uint16_t)pnc_get16(in + 8);
	p->waiting = (uint8_t)in[10];
	p->free = (uint8_t)in[11];
	p->in_radio = (uint8_t)in[12];
	p->link = (uint8_t)in[13];
	p->acked_packets = (uint16_t)pnc_get16(in + 14);
	p->acked_bytes = (uint32_t)pnc_get32(in + 16);
	p->busy_us = (uint32_t)pnc_get32(in + 20);
	return true;
}

/* Host to board: drop the waiting packets of an image. Answered by credit. */
#define PNC_FLUSH_SIZE 5u
struct pnc_flush {
	uint8_t peer; /* on the edge's serial port: number of the camera; else 0 */
	uint16_t image; /* the image */
	uint8_t all; /* 1: every image; image is then ignored */
};

/* Writes PNC_FLUSH_SIZE bytes; returns their number. */
static inline size_t pnc_flush_write(const struct pnc_flush *p, uint8_t *out)
{
	out[0] = PNC_TYPE_FLUSH;
	out[1] = p->peer;
	pnc_put16(out + 2, (uint16_t)p->image);
	out[4] = (uint8_t)p->all;
	return 5u;
}

/* False if in[0..len) is too short or longer than PNC_MAX_PACKET.  */
static inline bool pnc_flush_read(struct pnc_flush *p, const uint8_t *in, size_t len)
{
	if (len < PNC_FLUSH_SIZE || len > PNC_MAX_PACKET) {
		return false;
	}
	p->peer = in[1];
	p->image = (uint16_t)pnc_get16(in + 2);
	p->all = (uint8_t)in[4];
	return true;
}

/* Host to board: request for statistics. */
#define PNC_STATISTICS_REQUEST_SIZE 2u
struct pnc_statistics_request {
	uint8_t peer; /* on the edge's serial port: number of the camera; else 0 */
};

/* Writes PNC_STATISTICS_REQUEST_SIZE bytes; returns their number. */
static inline size_t pnc_statistics_request_write(const struct pnc_statistics_request *p, uint8_t *out)
{
	out[0] = PNC_TYPE_STATISTICS_REQUEST;
	out[1] = p->peer;
	return 2u;
}

/* False if in[0..len) is too short or longer than PNC_MAX_PACKET.  */
static inline bool pnc_statistics_request_read(struct pnc_statistics_request *p, const uint8_t *in, size_t len)
{
	if (len < PNC_STATISTICS_REQUEST_SIZE || len > PNC_MAX_PACKET) {
		return false;
	}
	p->peer = in[1];
	return true;
}

/* Board to host. Picture packets: accepted = sent + expired + evicted + flushed + waiting. */
#define PNC_STATISTICS_SIZE 65u
struct pnc_statistics {
	uint8_t peer; /* on the edge's serial port: number of the camera; else 0 */
	uint32_t uptime_ms; /* since the board started */
	uint32_t accepted; /* offered to the queue, by the serial port (camera) or the radio (edge) */
	uint32_t sent; /* handed to the radio (camera) or to the serial port (edge); not those that wait again because of a repeat */
	uint32_t expired; /* dropped after their deadline */
	uint32_t evicted; /* dropped as the least important of a full queue */
	uint32_t flushed; /* dropped by a flush, a hello or a new role */
	uint32_t acked; /* of the sent: acknowledged by the link layer (camera) */
	uint32_t lost; /* of the sent: in the radio when the connection ended (camera) */
	uint32_t damaged; /* serial frames with a bad COBS code or CRC */
	uint32_t missed; /* serial frames named as missing */
	uint32_t unknown; /* packets skipped: unknown type, unknown source, or malformed */
	uint32_t control_dropped; /* control packets dropped for lack of room */
	uint8_t waiting; /* waiting in the queue */
	uint8_t links; /* connections that are up */
	uint8_t link; /* link_state of this peer */
	uint8_t phy; /* phy of this peer */
	int8_t rssi_dbm; /* of this peer; 127: unknown */
	uint16_t mtu; /* ATT MTU of this peer, bytes */
	uint32_t interval_us; /* connection interval of this peer */
	uint32_t goodput_bps; /* codec bits per second with this peer over the last full second: acknowledged (camera), received (edge) */
};

/* Writes PNC_STATISTICS_SIZE bytes; returns their number. */
static inline size_t pnc_statistics_write(const struct pnc_statistics *p, uint8_t *out)
{
	out[0] = PNC_TYPE_STATISTICS;
	out[1] = p->peer;
	pnc_put32(out + 2, (uint32_t)p->uptime_ms);
	pnc_put32(out + 6, (uint32_t)p->accepted);
	pnc_put32(out + 10, (uint32_t)p->sent);
	pnc_put32(out + 14, (uint32_t)p->expired);
	pnc_put32(out + 18, (uint32_t)p->evicted);
	pnc_put32(out + 22, (uint32_t)p->flushed);
	pnc_put32(out + 26, (uint32_t)p->acked);
	pnc_put32(out + 30, (uint32_t)p->lost);
	pnc_put32(out + 34, (uint32_t)p->damaged);
	pnc_put32(out + 38, (uint32_t)p->missed);
	pnc_put32(out + 42, (uint32_t)p->unknown);
	pnc_put32(out + 46, (uint32_t)p->control_dropped);
	out[50] = (uint8_t)p->waiting;
	out[51] = (uint8_t)p->links;
	out[52] = (uint8_t)p->link;
	out[53] = (uint8_t)p->phy;
	out[54] = (uint8_t)p->rssi_dbm;
	pnc_put16(out + 55, (uint16_t)p->mtu);
	pnc_put32(out + 57, (uint32_t)p->interval_us);
	pnc_put32(out + 61, (uint32_t)p->goodput_bps);
	return 65u;
}

/* False if in[0..len) is too short or longer than PNC_MAX_PACKET.  */
static inline bool pnc_statistics_read(struct pnc_statistics *p, const uint8_t *in, size_t len)
{
	if (len < PNC_STATISTICS_SIZE || len > PNC_MAX_PACKET) {
		return false;
	}
	p->peer = in[1];
	p->uptime_ms = (uint32_t)pnc_get32(in + 2);
	p->accepted = (uint32_t)pnc_get32(in + 6);
	p->sent = (uint32_t)pnc_get32(in + 10);
	p->expired = (uint32_t)pnc_get32(in + 14);
	p->evicted = (uint32_t)pnc_get32(in + 18);
	p->flushed = (uint32_t)pnc_get32(in + 22);
	p->acked = (uint32_t)pnc_get32(in + 26);
	p->lost = (uint32_t)pnc_get32(in + 30);
	p->damaged = (uint32_t)pnc_get32(in + 34);
	p->missed = (uint32_t)pnc_get32(in + 38);
	p->unknown = (uint32_t)pnc_get32(in + 42);
	p->control_dropped = (uint32_t)pnc_get32(in + 46);
	p->waiting = (uint8_t)in[50];
	p->links = (uint8_t)in[51];
	p->link = (uint8_t)in[52];
	p->phy = (uint8_t)in[53];
	p->rssi_dbm = (int8_t)in[54];
	p->mtu = (uint16_t)pnc_get16(in + 55);
	p->interval_us = (uint32_t)pnc_get32(in + 57);
	p->goodput_bps = (uint32_t)pnc_get32(in + 61);
	return true;
}

/* Request for a pong from the named hop; earlier hops forward it. */
#define PNC_PING_SIZE 11u
struct pnc_ping {
	uint8_t peer; /* on the edge's serial port: number of the camera; else 0 */
	uint8_t hop; /* hop that answers */
	uint32_t token; /* returned unchanged; to peer_host: session of the sender, a new value restarts its image numbers */
	uint32_t origin_us; /* clock of the sender; returned unchanged */
	const uint8_t *seal; /* peer_host, of a camera with a key: its salt and proof, 16 bytes; else nothing */
	uint8_t seal_len;
};

/* Writes PNC_PING_SIZE bytes and the rest; returns their number. */
static inline size_t pnc_ping_write(const struct pnc_ping *p, uint8_t *out)
{
	out[0] = PNC_TYPE_PING;
	out[1] = p->peer;
	out[2] = (uint8_t)p->hop;
	pnc_put32(out + 3, (uint32_t)p->token);
	pnc_put32(out + 7, (uint32_t)p->origin_us);
	if (p->seal_len > 0) {
		memcpy(out + 11, p->seal, p->seal_len);
	}
	return 11u + p->seal_len;
}

/* False if in[0..len) is too short or longer than PNC_MAX_PACKET. The rest stays in `in`. */
static inline bool pnc_ping_read(struct pnc_ping *p, const uint8_t *in, size_t len)
{
	if (len < PNC_PING_SIZE || len > PNC_MAX_PACKET) {
		return false;
	}
	p->peer = in[1];
	p->hop = (uint8_t)in[2];
	p->token = (uint32_t)pnc_get32(in + 3);
	p->origin_us = (uint32_t)pnc_get32(in + 7);
	p->seal = in + 11;
	p->seal_len = (uint8_t)(len - 11u);
	return true;
}

/* Answer to ping. */
#define PNC_PONG_SIZE 23u
struct pnc_pong {
	uint8_t peer; /* on the edge's serial port: number of the camera; else 0 */
	uint8_t hop; /* hop that answers */
	uint32_t token; /* token of the ping */
	uint32_t origin_us; /* origin_us of the ping */
	uint32_t held_us; /* time between the arrival of the ping and this answer */
	uint32_t service_us; /* peer_host: expected time to decode and classify; else 0 */
	uint32_t clock_us; /* peer_host: clock of the server when it answered, modulo 65,536,000; else 0 */
	const uint8_t *seal; /* peer_host, of a server with a key: its salt and proof, or 16 zero bytes: no key fits; else nothing */
	uint8_t seal_len;
};

/* Writes PNC_PONG_SIZE bytes and the rest; returns their number. */
static inline size_t pnc_pong_write(const struct pnc_pong *p, uint8_t *out)
{
	out[0] = PNC_TYPE_PONG;
	out[1] = p->peer;
	out[2] = (uint8_t)p->hop;
	pnc_put32(out + 3, (uint32_t)p->token);
	pnc_put32(out + 7, (uint32_t)p->origin_us);
	pnc_put32(out + 11, (uint32_t)p->held_us);
	pnc_put32(out + 15, (uint32_t)p->service_us);
	pnc_put32(out + 19, (uint32_t)p->clock_us);
	if (p->seal_len > 0) {
		memcpy(out + 23, p->seal, p->seal_len);
	}
	return 23u + p->seal_len;
}

/* False if in[0..len) is too short or longer than PNC_MAX_PACKET. The rest stays in `in`. */
static inline bool pnc_pong_read(struct pnc_pong *p, const uint8_t *in, size_t len)
{
	if (len < PNC_PONG_SIZE || len > PNC_MAX_PACKET) {
		return false;
	}
	p->peer = in[1];
	p->hop = (uint8_t)in[2];
	p->token = (uint32_t)pnc_get32(in + 3);
	p->origin_us = (uint32_t)pnc_get32(in + 7);
	p->held_us = (uint32_t)pnc_get32(in + 11);
	p->service_us = (uint32_t)pnc_get32(in + 15);
	p->clock_us = (uint32_t)pnc_get32(in + 19);
	p->seal = in + 23;
	p->seal_len = (uint8_t)(len - 23u);
	return true;
}

/* Edge server to camera computer: the answer to an image. */
#define PNC_RESULT_SIZE 49u
struct pnc_result {
	uint8_t peer; /* on the edge's serial port: number of the camera; else 0 */
	uint16_t image; /* the image */
	uint8_t program; /* program of the image */
	uint8_t status; /* result_status */
	uint8_t more; /* 1: a provisional answer; a better one may follow */
	int16_t margin_ms; /* the moment that the image names minus arrival of the last used packet */
	uint32_t service_us; /* time taken to decode and classify */
	uint32_t clock_us; /* clock of the server when it answered, modulo 65,536,000 */
	uint8_t ranks[32]; /* bit r of byte r // 8: rank r arrived in time */
	const uint8_t *text; /* status ok: result_class records, most probable first; else UTF-8 */
	uint8_t text_len;
};

/* Writes PNC_RESULT_SIZE bytes and the rest; returns their number. */
static inline size_t pnc_result_write(const struct pnc_result *p, uint8_t *out)
{
	out[0] = PNC_TYPE_RESULT;
	out[1] = p->peer;
	pnc_put16(out + 2, (uint16_t)p->image);
	out[4] = (uint8_t)p->program;
	out[5] = (uint8_t)p->status;
	out[6] = (uint8_t)p->more;
	pnc_put16(out + 7, (uint16_t)p->margin_ms);
	pnc_put32(out + 9, (uint32_t)p->service_us);
	pnc_put32(out + 13, (uint32_t)p->clock_us);
	memcpy(out + 17, p->ranks, 32);
	if (p->text_len > 0) {
		memcpy(out + 49, p->text, p->text_len);
	}
	return 49u + p->text_len;
}

/* False if in[0..len) is too short or longer than PNC_MAX_PACKET. The rest stays in `in`. */
static inline bool pnc_result_read(struct pnc_result *p, const uint8_t *in, size_t len)
{
	if (len < PNC_RESULT_SIZE || len > PNC_MAX_PACKET) {
		return false;
	}
	p->peer = in[1];
	p->image = (uint16_t)pnc_get16(in + 2);
	p->program = (uint8_t)in[4];
	p->status = (uint8_t)in[5];
	p->more = (uint8_t)in[6];
	p->margin_ms = (int16_t)pnc_get16(in + 7);
	p->service_us = (uint32_t)pnc_get32(in + 9);
	p->clock_us = (uint32_t)pnc_get32(in + 13);
	memcpy(p->ranks, in + 17, 32);
	p->text = in + 49;
	p->text_len = (uint8_t)(len - 49u);
	return true;
}

/* Board to host: a radio connection came up, changed or went down. */
#define PNC_LINK_SIZE 11u
struct pnc_link {
	uint8_t peer; /* on the edge's serial port: number of the camera; else 0 */
	uint8_t state; /* link_state */
	uint8_t phy; /* phy */
	uint8_t reason; /* Bluetooth reason code of the disconnection; else 0 */
	uint16_t mtu; /* ATT MTU, bytes */
	uint32_t interval_us; /* connection interval */
};

/* Writes PNC_LINK_SIZE bytes; returns their number. */
static inline size_t pnc_link_write(const struct pnc_link *p, uint8_t *out)
{
	out[0] = PNC_TYPE_LINK;
	out[1] = p->peer;
	out[2] = (uint8_t)p->state;
	out[3] = (uint8_t)p->phy;
	out[4] = (uint8_t)p->reason;
	pnc_put16(out + 5, (uint16_t)p->mtu);
	pnc_put32(out + 7, (uint32_t)p->interval_us);
	return 11u;
}

/* False if in[0..len) is too short or longer than PNC_MAX_PACKET.  */
static inline bool pnc_link_read(struct pnc_link *p, const uint8_t *in, size_t len)
{
	if (len < PNC_LINK_SIZE || len > PNC_MAX_PACKET) {
		return false;
	}
	p->peer = in[1];
	p->state = (uint8_t)in[2];
	p->phy = (uint8_t)in[3];
	p->reason = (uint8_t)in[4];
	p->mtu = (uint16_t)pnc_get16(in + 5);
	p->interval_us = (uint32_t)pnc_get32(in + 7);
	return true;
}

/* Board to host: a line of text for the user. */
#define PNC_LOG_SIZE 3u
struct pnc_log {
	uint8_t peer; /* on the edge's serial port: number of the camera; else 0 */
	uint8_t level; /* 1 error, 2 warning, 3 information, 4 debugging */
	const uint8_t *text; /* UTF-8 */
	uint8_t text_len;
};

/* Writes PNC_LOG_SIZE bytes and the rest; returns their number. */
static inline size_t pnc_log_write(const struct pnc_log *p, uint8_t *out)
{
	out[0] = PNC_TYPE_LOG;
	out[1] = p->peer;
	out[2] = (uint8_t)p->level;
	if (p->text_len > 0) {
		memcpy(out + 3, p->text, p->text_len);
	}
	return 3u + p->text_len;
}

/* False if in[0..len) is too short or longer than PNC_MAX_PACKET. The rest stays in `in`. */
static inline bool pnc_log_read(struct pnc_log *p, const uint8_t *in, size_t len)
{
	if (len < PNC_LOG_SIZE || len > PNC_MAX_PACKET) {
		return false;
	}
	p->peer = in[1];
	p->level = (uint8_t)in[2];
	p->text = in + 3;
	p->text_len = (uint8_t)(len - 3u);
	return true;
}

/* Board to host: a packet was refused, or a part of the board does not work. */
#define PNC_ERROR_SIZE 7u
struct pnc_error {
	uint8_t peer; /* on the edge's serial port: number of the camera; else 0 */
	uint8_t code; /* error_code */
	uint32_t detail; /* see error_code */
	const uint8_t *text; /* UTF-8 */
	uint8_t text_len;
};

/* Writes PNC_ERROR_SIZE bytes and the rest; returns their number. */
static inline size_t pnc_error_write(const struct pnc_error *p, uint8_t *out)
{
	out[0] = PNC_TYPE_ERROR;
	out[1] = p->peer;
	out[2] = (uint8_t)p->code;
	pnc_put32(out + 3, (uint32_t)p->detail);
	if (p->text_len > 0) {
		memcpy(out + 7, p->text, p->text_len);
	}
	return 7u + p->text_len;
}

/* False if in[0..len) is too short or longer than PNC_MAX_PACKET. The rest stays in `in`. */
static inline bool pnc_error_read(struct pnc_error *p, const uint8_t *in, size_t len)
{
	if (len < PNC_ERROR_SIZE || len > PNC_MAX_PACKET) {
		return false;
	}
	p->peer = in[1];
	p->code = (uint8_t)in[2];
	p->detail = (uint32_t)pnc_get32(in + 3);
	p->text = in + 7;
	p->text_len = (uint8_t)(len - 7u);
	return true;
}

/* Host to board: which boards may pair. Answered by pairing, or by error. */
#define PNC_PAIR_SIZE 45u
struct pnc_pair {
	uint8_t peer; /* on the edge's serial port: number of the camera; else 0 */
	uint8_t action; /* pair_action */
	uint8_t method; /* open: pair_method */
	uint16_t window_s; /* open: duration; 0: the board chooses */
	uint8_t address_type; /* type of address: 0 public, 1 random */
	uint8_t address[6]; /* open: the only board that may pair, all zero: any; forget: the board to forget */
	uint8_t random[16]; /* open, out_of_band: random value from the peer's pairing; all zero: the peer gets ours instead */
	uint8_t confirm[16]; /* open, out_of_band: confirm value from the peer's pairing; else all zero */
};

/* Writes PNC_PAIR_SIZE bytes; returns their number. */
static inline size_t pnc_pair_write(const struct pnc_pair *p, uint8_t *out)
{
	out[0] = PNC_TYPE_PAIR;
	out[1] = p->peer;
	out[2] = (uint8_t)p->action;
	out[3] = (uint8_t)p->method;
	pnc_put16(out + 4, (uint16_t)p->window_s);
	out[6] = (uint8_t)p->address_type;
	memcpy(out + 7, p->address, 6);
	memcpy(out + 13, p->random, 16);
	memcpy(out + 29, p->confirm, 16);
	return 45u;
}

/* False if in[0..len) is too short or longer than PNC_MAX_PACKET.  */
static inline bool pnc_pair_read(struct pnc_pair *p, const uint8_t *in, size_t len)
{
	if (len < PNC_PAIR_SIZE || len > PNC_MAX_PACKET) {
		return false;
	}
	p->peer = in[1];
	p->action = (uint8_t)in[2];
	p->method = (uint8_t)in[3];
	p->window_s = (uint16_t)pnc_get16(in + 4);
	p->address_type = (uint8_t)in[6];
	memcpy(p->address, in + 7, 6);
	memcpy(p->random, in + 13, 16);
	memcpy(p->confirm, in + 29, 16);
	return true;
}

/* Board to host: answer to pair; sent again when a board has paired or failed to pair, and when the window closes. */
#define PNC_PAIRING_SIZE 48u
struct pnc_pairing {
	uint8_t peer; /* on the edge's serial port: number of the camera; else 0 */
	uint8_t open; /* 1: unknown boards may pair */
	uint8_t method; /* pair_method of the window */
	uint16_t left_s; /* time until the window closes, rounded up; 0: closed */
	uint8_t bonds; /* number of bonds */
	uint8_t paired; /* boards paired since the start, modulo 256 */
	uint8_t failed; /* failed attempts to pair since the start, modulo 256 */
	uint8_t address_type; /* type of address: 0 public, 1 random */
	uint8_t address[6]; /* address of this board */
	uint8_t random[16]; /* open, out_of_band: random value for the peer; else all zero */
	uint8_t confirm[16]; /* open, out_of_band: confirm value for the peer; else all zero */
};

/* Writes PNC_PAIRING_SIZE bytes; returns their number. */
static inline size_t pnc_pairing_write(const struct pnc_pairing *p, uint8_t *out)
{
	out[0] = PNC_TYPE_PAIRING;
	out[1] = p->peer;
	out[2] = (uint8_t)p->open;
	out[3] = (uint8_t)p->method;
	pnc_put16(out + 4, (uint16_t)p->left_s);
	out[6] = (uint8_t)p->bonds;
	out[7] = (uint8_t)p->paired;
	out[8] = (uint8_t)p->failed;
	out[9] = (uint8_t)p->address_type;
	memcpy(out + 10, p->address, 6);
	memcpy(out + 16, p->random, 16);
	memcpy(out + 32, p->confirm, 16);
	return 48u;
}

/* False if in[0..len) is too short or longer than PNC_MAX_PACKET.  */
static inline bool pnc_pairing_read(struct pnc_pairing *p, const uint8_t *in, size_t len)
{
	if (len < PNC_PAIRING_SIZE || len > PNC_MAX_PACKET) {
		return false;
	}
	p->peer = in[1];
	p->open = (uint8_t)in[2];
	p->method = (uint8_t)in[3];
	p->left_s = (uint16_t)pnc_get16(in + 4);
	p->bonds = (uint8_t)in[6];
	p->paired = (uint8_t)in[7];
	p->failed = (uint8_t)in[8];
	p->address_type = (uint8_t)in[9];
	memcpy(p->address, in + 10, 6);
	memcpy(p->random, in + 16, 16);
	memcpy(p->confirm, in + 32, 16);
	return true;
}

/* Host to board: send frames again that did not arrive intact, in new frames, while the board still has them. Not answered otherwise. */
#define PNC_REPEAT_SIZE 7u
struct pnc_repeat {
	uint8_t peer; /* on the edge's serial port: number of the camera; else 0 */
	uint8_t next_seq; /* sequence number that the host expects next */
	uint32_t missing; /* bit k set: the frame next_seq - 1 - k never arrived intact */
};

/* Writes PNC_REPEAT_SIZE bytes; returns their number. */
static inline size_t pnc_repeat_write(const struct pnc_repeat *p, uint8_t *out)
{
	out[0] = PNC_TYPE_REPEAT;
	out[1] = p->peer;
	out[2] = (uint8_t)p->next_seq;
	pnc_put32(out + 3, (uint32_t)p->missing);
	return 7u;
}

/* False if in[0..len) is too short or longer than PNC_MAX_PACKET.  */
static inline bool pnc_repeat_read(struct pnc_repeat *p, const uint8_t *in, size_t len)
{
	if (len < PNC_REPEAT_SIZE || len > PNC_MAX_PACKET) {
		return false;
	}
	p->peer = in[1];
	p->next_seq = (uint8_t)in[2];
	p->missing = (uint32_t)pnc_get32(in + 3);
	return true;
}

/* Host to board: restart. Not answered, or answered by error; a board that was reset has lost its session. */
#define PNC_RESET_SIZE 3u
struct pnc_reset {
	uint8_t peer; /* on the edge's serial port: number of the camera; else 0 */
	uint8_t kind; /* reset_kind */
};

/* Writes PNC_RESET_SIZE bytes; returns their number. */
static inline size_t pnc_reset_write(const struct pnc_reset *p, uint8_t *out)
{
	out[0] = PNC_TYPE_RESET;
	out[1] = p->peer;
	out[2] = (uint8_t)p->kind;
	return 3u;
}

/* False if in[0..len) is too short or longer than PNC_MAX_PACKET.  */
static inline bool pnc_reset_read(struct pnc_reset *p, const uint8_t *in, size_t len)
{
	if (len < PNC_RESET_SIZE || len > PNC_MAX_PACKET) {
		return false;
	}
	p->peer = in[1];
	p->kind = (uint8_t)in[2];
	return true;
}

#endif
