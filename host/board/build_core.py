"""Build ``host.board._core``: the firmware's C core as a Python extension (cffi, API mode)."""

from __future__ import annotations

from pathlib import Path

from cffi import FFI

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "firmware" / "core"

ffibuilder = FFI()
ffibuilder.cdef(
    """
    #define PNC_PEERS ...
    struct pnc_configure {
        uint8_t role; uint8_t phy; int8_t tx_power_dbm; uint8_t address_type; uint8_t address[6]; uint32_t interval_us;
        ...;
    };
    struct pnc_pair {
        uint8_t peer; uint8_t action; uint8_t method; uint16_t window_s; uint8_t address_type; uint8_t address[6];
        uint8_t random[16]; uint8_t confirm[16];
        ...;
    };
    struct pnc_pairing {
        uint8_t open; uint8_t method; uint16_t left_s; uint8_t bonds; uint8_t paired; uint8_t failed;
        uint8_t address_type; uint8_t address[6]; uint8_t random[16]; uint8_t confirm[16];
        ...;
    };
    struct pnc_board_identity {
        uint64_t board_id; uint32_t session; uint32_t capabilities; uint8_t firmware[3];
        uint8_t role; uint8_t boot; uint8_t in_flight; char name[...];
        ...;
    };
    struct pnc_radio_link { uint32_t interval_us; uint16_t mtu; uint8_t phy; ...; };
    struct pnc_queue_totals {
        uint32_t accepted; uint32_t sent; uint32_t expired; uint32_t evicted; uint32_t flushed; ...;
    };
    struct pnc_queue { uint8_t waiting; struct pnc_queue_totals totals; ...; };
    struct pnc_board { struct pnc_queue queue; ...; };
    struct pnc_board_ops {
        bool (*configure)(void *user, const struct pnc_configure *configuration);
        bool (*pair)(void *user, const struct pnc_pair *pair);
        void (*pairing)(void *user, struct pnc_pairing *pairing);
        bool (*reset)(void *user, uint8_t kind);
        int8_t (*rssi_dbm)(void *user, uint8_t peer);
        void (*wake)(void *user);
        ...;
    };
    void pnc_board_init(struct pnc_board *b, const struct pnc_board_identity *identity,
                        const struct pnc_board_ops *ops, void *user, uint32_t now_us);
    void pnc_board_serial_rx(struct pnc_board *b, uint32_t now_us, const uint8_t *bytes, size_t len);
    size_t pnc_board_serial_tx(struct pnc_board *b, uint32_t now_us, uint8_t *out, size_t room);
    void pnc_board_serial_closed(struct pnc_board *b, uint32_t now_us);
    void pnc_board_radio_up(struct pnc_board *b, uint32_t now_us, uint8_t peer, const struct pnc_radio_link *link);
    void pnc_board_radio_down(struct pnc_board *b, uint32_t now_us, uint8_t peer, uint8_t reason);
    void pnc_board_radio_rx(struct pnc_board *b, uint32_t now_us, uint8_t peer, const uint8_t *packet, size_t len);
    size_t pnc_board_radio_tx(struct pnc_board *b, uint32_t now_us, uint8_t peer, uint8_t *out);
    void pnc_board_radio_sent(struct pnc_board *b, uint32_t now_us, uint8_t peer);
    void pnc_board_pairing_changed(struct pnc_board *b, uint32_t now_us);
    void pnc_board_tick(struct pnc_board *b, uint32_t now_us);
    extern "Python" bool pnc_python_configure(void *, const struct pnc_configure *);
    extern "Python" bool pnc_python_pair(void *, const struct pnc_pair *);
    extern "Python" void pnc_python_pairing(void *, struct pnc_pairing *);
    extern "Python" bool pnc_python_reset(void *, uint8_t);
    extern "Python" int8_t pnc_python_rssi_dbm(void *, uint8_t);
    extern "Python" void pnc_python_wake(void *);
    """
)
ffibuilder.set_source(
    "pnc_link.board._core",
    '#include "pnc/board.h"',
    sources=sorted(str(path.relative_to(ROOT)) for path in (CORE / "src").glob("*.c")),
    include_dirs=["firmware/core/include", "protocol"],
    depends=sorted(
        str(path.relative_to(ROOT))
        for path in [*(CORE / "include" / "pnc").glob("*.h"), ROOT / "protocol" / "pnc_wire.h"]
    ),
    extra_compile_args=["-std=c11", "-O2"],
)
