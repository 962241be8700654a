"""One virtual board: the C core and its memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..version import __version__
from ..wire import MAX_PACKET, Boot, Capability, Pair, Pairing, Phy, ResetKind, Role
from ._core import ffi, lib
from .pairing import PairingWindow

#: The core is compiled from this package's own source.
FIRMWARE = tuple(map(int, __version__.split(".")))  # noqa: RUF048  (three numbers, as in firmware/VERSION)
MTU = 247
_WRAP = 1 << 32


@dataclass(frozen=True, slots=True)
class RadioSettings:
    """What a host asked of a board's radio; interval in us, 0 and ``Phy.KEEP`` leave it as it is."""

    role: Role
    phy: Phy
    interval_us: int


@dataclass(frozen=True, slots=True)
class Totals:
    """The accounting of a board's queue: accepted = sent + expired + evicted + flushed + waiting."""

    accepted: int
    sent: int
    expired: int
    evicted: int
    flushed: int
    waiting: int


class BoardCore:
    """The firmware's core behind Python calls. Times are microseconds, of any range (the core sees them modulo 2^32).

    ``rssi_dbm`` is what statistics report (the default: two boards on one desk; 127: unknown).
    ``on_configure`` is asked to apply radio settings and says whether it can; ``on_wake`` is called when bytes for
    the serial port or packets for the radio may be pulled; ``on_reset`` when the host asked for a reset. None may
    call back into the board.
    """

    def __init__(
        self,
        name: str,
        *,
        board_id: int,
        session: int,
        role: Role = Role.NONE,
        in_flight: int = 4,
        capabilities: int = Capability.VIRTUAL | Capability.PHY_2M | Capability.PHY_CODED,
        rssi_dbm: int = -50,
        now_us: int = 0,
        on_configure: Callable[[RadioSettings], bool],
        on_wake: Callable[[], None],
        on_reset: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = name
        self.role = role
        self.rssi_dbm = rssi_dbm
        self._on_configure = on_configure
        self._on_wake = on_wake
        self._on_reset = on_reset
        self._now_us = now_us
        self._pairing = PairingWindow(board_id.to_bytes(8, "little")[:6])
        self._pair_asked: Pair | None = None
        self._handle = ffi.new_handle(self)
        self._ops = ffi.new(
            "struct pnc_board_ops *",
            {
                "configure": lib.pnc_sim_configure,
                "pair": lib.pnc_sim_pair,
                "pairing": lib.pnc_sim_pairing,
                "reset": lib.pnc_sim_reset,
                "rssi_dbm": lib.pnc_sim_rssi_dbm,
                "wake": lib.pnc_sim_wake,
            },
        )
        self._board = ffi.new("struct pnc_board *")
        self._packet = ffi.new("uint8_t[]", MAX_PACKET)
        self._identity = ffi.new(
            "struct pnc_board_identity *",
            {
                "board_id": board_id,
                "session": session,
                "capabilities": capabilities,
                "firmware": FIRMWARE,
                "role": role,
                "boot": Boot.POWER,
                "in_flight": in_flight,
                "name": name.encode()[:24],
            },
        )
        lib.pnc_board_init(self._board, self._identity, self._ops, self._handle, now_us % _WRAP)

    def reset(self, now_us: int, boot: Boot = Boot.PIN) -> None:
        """Start anew, as after a press of the reset button: the role is kept, everything else is lost."""
        self._identity.session = (self._identity.session + 1) % _WRAP
        self._identity.role = self.role
        self._identity.boot = boot
        self._pairing = PairingWindow(self._identity.board_id.to_bytes(8, "little")[:6])
        lib.pnc_board_init(self._board, self._identity, self._ops, self._handle, now_us % _WRAP)

    @property
    def totals(self) -> Totals:
        """The queue's accounting now."""
        queue = self._board.queue
        t = queue.totals
        return Totals(t.accepted, t.sent, t.expired, t.evicted, t.flushed, queue.waiting)

    def serial_rx(self, now_us: int, data: bytes) -> None:
        """Bytes came in on the serial port."""
        lib.pnc_board_serial_rx(self._board, now_us % _WRAP, data, len(data))
        asked, self._pair_asked = self._pair_asked, None
        if asked is not None:
            self._pairing.asked(now_us, asked)
            lib.pnc_board_pairing_changed(self._board, now_us % _WRAP)

    def serial_tx(self, now_us: int, room: int) -> bytes:
        """At most ``room`` bytes for the serial port."""
        out = ffi.new("uint8_t[]", room)
        self._now_us = now_us
        count = lib.pnc_board_serial_tx(self._board, now_us % _WRAP, out, room)
        return bytes(ffi.buffer(out, count))

    def serial_closed(self, now_us: int) -> None:
        """The host closed the port."""
        lib.pnc_board_serial_closed(self._board, now_us % _WRAP)

    def radio_up(self, now_us: int, peer: int, *, interval_us: int, phy: Phy, mtu: int = MTU) -> None:
        """A connection is ready, or its parameters changed."""
        link = ffi.new("struct pnc_radio_link *", {"interval_us": interval_us, "mtu": mtu, "phy": phy})
        lib.pnc_board_radio_up(self._board, now_us % _WRAP, peer, link)

    def radio_down(self, now_us: int, peer: int, reason: int) -> None:
        """A connection ended, with Bluetooth's reason code."""
        lib.pnc_board_radio_down(self._board, now_us % _WRAP, peer, reason)

    def radio_rx(self, now_us: int, peer: int, packet: bytes) -> None:
        """A packet came over the air."""
        lib.pnc_board_radio_rx(self._board, now_us % _WRAP, peer, packet, len(packet))

    def radio_tx(self, now_us: int, peer: int) -> bytes:
        """The next packet for the radio; empty if there is none."""
        count = lib.pnc_board_radio_tx(self._board, now_us % _WRAP, peer, self._packet)
        return bytes(ffi.buffer(self._packet, count))

    def radio_sent(self, now_us: int, peer: int) -> None:
        """The oldest packet inside the radio was acknowledged."""
        lib.pnc_board_radio_sent(self._board, now_us % _WRAP, peer)

    def tick(self, now_us: int) -> None:
        """Time passes."""
        if self._pairing.tick(now_us):
            lib.pnc_board_pairing_changed(self._board, now_us % _WRAP)
        lib.pnc_board_tick(self._board, now_us % _WRAP)

    def configured(self, settings: RadioSettings) -> bool:
        """The core asks to apply a configuration."""
        accepted = self._on_configure(settings)
        if accepted:
            self.role = settings.role
        return accepted

    def pair(self, pair: Pair) -> None:
        """The core hands on who may pair."""
        self._pair_asked = pair

    def pairing(self) -> Pairing:
        """The core asks for the state of pairing."""
        return self._pairing.state(self._now_us)

    def reset_asked(self) -> None:
        """The core hands on the host's wish for a reset."""
        self._on_reset()

    def woken(self) -> None:
        """The core has something to be pulled."""
        self._on_wake()


@ffi.def_extern()  # type: ignore[untyped-decorator]
def pnc_sim_configure(user: Any, configuration: Any) -> bool:
    board: BoardCore = ffi.from_handle(user)
    settings = RadioSettings(Role(configuration.role), Phy(configuration.phy), configuration.interval_us)
    return board.configured(settings)


@ffi.def_extern()  # type: ignore[untyped-decorator]
def pnc_sim_pair(user: Any, pair: Any) -> bool:
    board: BoardCore = ffi.from_handle(user)
    values: dict[str, Any] = {name: bytes(ffi.buffer(getattr(pair, name))) for name in ("address", "random", "confirm")}
    numbers = {name: getattr(pair, name) for name in ("action", "method", "window_s", "address_type", "peer")}
    board.pair(Pair(**numbers, **values))
    return True


@ffi.def_extern()  # type: ignore[untyped-decorator]
def pnc_sim_pairing(user: Any, pairing: Any) -> None:
    board: BoardCore = ffi.from_handle(user)
    state = board.pairing()
    for name in ("open", "method", "left_s", "bonds", "paired", "failed", "address_type"):
        setattr(pairing, name, getattr(state, name))
    for name in ("address", "random", "confirm"):
        ffi.buffer(getattr(pairing, name))[:] = getattr(state, name)


@ffi.def_extern()  # type: ignore[untyped-decorator]
def pnc_sim_reset(user: Any, kind: int) -> bool:
    board: BoardCore = ffi.from_handle(user)
    if kind != ResetKind.FIRMWARE:
        return False  # there is no bootloader
    board.reset_asked()
    return True


@ffi.def_extern()  # type: ignore[untyped-decorator]
def pnc_sim_rssi_dbm(user: Any, _peer: int) -> int:
    board: BoardCore = ffi.from_handle(user)
    return board.rssi_dbm


@ffi.def_extern()  # type: ignore[untyped-decorator]
def pnc_sim_wake(user: Any) -> None:
    board: BoardCore = ffi.from_handle(user)
    board.woken()
