"""The firmware's C core as a Python object."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..version import __version__
from ..wire import HELLO_NAME, MAX_PACKET, Boot, Capability, Pair, Phy, Role
from . import operations
from ._core import ffi, lib
from .operations import Operations, RadioSettings
from .pairing import PairingWindow

#: The core is compiled from this package's own source.
FIRMWARE = tuple(map(int, __version__.split(".")))  # noqa: RUF048  (three numbers, as in firmware/VERSION)
MTU = 247
#: Radio connections of an edge board (PNC_PEERS of the compiled core).
PEERS: int = lib.PNC_PEERS
_WRAP = 1 << 32


@dataclass(frozen=True, slots=True)
class Totals:
    """Accounting of a board's queue: accepted = sent + expired + evicted + flushed + waiting."""

    accepted: int
    sent: int
    expired: int
    evicted: int
    flushed: int
    waiting: int


class BoardCore:
    """The firmware's core behind Python calls. Times are microseconds of any range; the core sees them modulo 2^32.

    ``rssi_dbm`` is the signal strength in statistics (default: two boards on one desk; 127: unknown).
    ``on_configure`` applies radio settings and returns False if it cannot. ``on_wake`` is called when bytes for
    the serial port or packets for the radio may be pulled, ``on_reset`` when the host requested a reset. None of them
    may call the board.
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
        self._on_configure = on_configure
        self._now_us = now_us
        self._address = board_id.to_bytes(8, "little")[:6]
        self._pairing = PairingWindow(self._address)
        self._handle = ffi.new_handle(
            Operations(
                configure=self._configure,
                pair=self._pair,
                pairing=lambda: self._pairing.state(self._now_us),
                reset=on_reset,
                rssi_dbm=lambda _peer: rssi_dbm,
                wake=on_wake,
            )
        )
        self._ops = operations.table()
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
                "name": name.encode()[:HELLO_NAME],
            },
        )
        lib.pnc_board_init(self._board, self._identity, self._ops, self._handle, now_us % _WRAP)

    def reset(self, now_us: int, boot: Boot = Boot.PIN) -> None:
        """Restart, as after a press of the reset button: only the role is kept."""
        self._identity.session = (self._identity.session + 1) % _WRAP
        self._identity.role = self.role
        self._identity.boot = boot
        self._pairing = PairingWindow(self._address)
        lib.pnc_board_init(self._board, self._identity, self._ops, self._handle, now_us % _WRAP)

    @property
    def totals(self) -> Totals:
        """Current accounting of the queue."""
        queue = self._board.queue
        t = queue.totals
        return Totals(t.accepted, t.sent, t.expired, t.evicted, t.flushed, queue.waiting)

    def serial_rx(self, now_us: int, data: bytes) -> None:
        """Take bytes from the serial port."""
        self._now_us = now_us
        lib.pnc_board_serial_rx(self._board, now_us % _WRAP, data, len(data))
        self._report_pairing(now_us)

    def serial_tx(self, now_us: int, room: int) -> bytes:
        """Return at most ``room`` bytes for the serial port."""
        out = ffi.new("uint8_t[]", room)
        self._now_us = now_us
        count = lib.pnc_board_serial_tx(self._board, now_us % _WRAP, out, room)
        return bytes(ffi.buffer(out, count))

    def serial_closed(self, now_us: int) -> None:
        """Report that the host closed the serial port."""
        lib.pnc_board_serial_closed(self._board, now_us % _WRAP)

    def radio_up(self, now_us: int, peer: int, *, interval_us: int, phy: Phy, mtu: int = MTU) -> None:
        """Report that a connection is ready, or that its parameters changed."""
        link = ffi.new("struct pnc_radio_link *", {"interval_us": interval_us, "mtu": mtu, "phy": phy})
        lib.pnc_board_radio_up(self._board, now_us % _WRAP, peer, link)

    def radio_down(self, now_us: int, peer: int, reason: int) -> None:
        """Report the end of a connection; ``reason`` is Bluetooth's."""
        lib.pnc_board_radio_down(self._board, now_us % _WRAP, peer, reason)

    def radio_rx(self, now_us: int, peer: int, packet: bytes) -> None:
        """Take a packet from the air."""
        lib.pnc_board_radio_rx(self._board, now_us % _WRAP, peer, packet, len(packet))

    def radio_tx(self, now_us: int, peer: int) -> bytes:
        """Return the next packet for the radio; empty if there is none."""
        count = lib.pnc_board_radio_tx(self._board, now_us % _WRAP, peer, self._packet)
        return bytes(ffi.buffer(self._packet, count))

    def radio_sent(self, now_us: int, peer: int) -> None:
        """Report that the oldest packet inside the radio was acknowledged."""
        lib.pnc_board_radio_sent(self._board, now_us % _WRAP, peer)

    def tick(self, now_us: int) -> None:
        """Advance the time; call it at least every 50 ms."""
        self._pairing.tick(now_us)
        self._report_pairing(now_us)
        lib.pnc_board_tick(self._board, now_us % _WRAP)

    def _configure(self, settings: RadioSettings) -> bool:
        accepted = self._on_configure(settings)
        if accepted:
            self.role = settings.role
        return accepted

    def _pair(self, request: Pair) -> None:
        self._pairing.request(self._now_us, request)

    def _report_pairing(self, now_us: int) -> None:
        """Report a changed state of pairing; the core takes no call from inside an operation."""
        if self._pairing.take_change():
            lib.pnc_board_pairing_changed(self._board, now_us % _WRAP)
