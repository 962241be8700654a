"""The operations that the firmware's core calls, joined to Python callables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..wire import Pair, Pairing, Phy, ResetKind, Role
from ._core import ffi, lib


@dataclass(frozen=True, slots=True)
class RadioSettings:
    """Radio settings that a host requested. ``interval_us`` 0 and ``Phy.KEEP`` change nothing."""

    role: Role
    phy: Phy
    interval_us: int


@dataclass(frozen=True, slots=True)
class Operations:
    """Callables behind ``struct pnc_board_ops``. None of them may call the core.

    ``configure`` applies radio settings and returns False if it cannot; ``pair`` takes a pairing request and
    ``pairing`` returns the state of pairing; ``reset`` restarts the firmware after the current call; ``rssi_dbm``
    returns the signal strength of a peer; ``wake`` announces bytes for the serial port or packets for the radio.
    """

    configure: Callable[[RadioSettings], bool]
    pair: Callable[[Pair], None]
    pairing: Callable[[], Pairing]
    reset: Callable[[], None]
    rssi_dbm: Callable[[int], int]
    wake: Callable[[], None]


def table() -> Any:
    """Return the core's table of operations; ``user`` must be a handle of ``Operations``."""
    names = ("configure", "pair", "pairing", "reset", "rssi_dbm", "wake")
    return ffi.new("struct pnc_board_ops *", {name: getattr(lib, f"pnc_python_{name}") for name in names})


def _of(user: Any) -> Operations:
    operations: Operations = ffi.from_handle(user)
    return operations


@ffi.def_extern()  # type: ignore[untyped-decorator]
def pnc_python_configure(user: Any, configuration: Any) -> bool:
    settings = RadioSettings(Role(configuration.role), Phy(configuration.phy), configuration.interval_us)
    return _of(user).configure(settings)


@ffi.def_extern()  # type: ignore[untyped-decorator]
def pnc_python_pair(user: Any, pair: Any) -> bool:
    values: dict[str, Any] = {name: bytes(ffi.buffer(getattr(pair, name))) for name in ("address", "random", "confirm")}
    numbers = {name: getattr(pair, name) for name in ("action", "method", "window_s", "address_type", "peer")}
    _of(user).pair(Pair(**numbers, **values))
    return True


@ffi.def_extern()  # type: ignore[untyped-decorator]
def pnc_python_pairing(user: Any, pairing: Any) -> None:
    state = _of(user).pairing()
    for name in ("open", "method", "left_s", "bonds", "paired", "failed", "address_type"):
        setattr(pairing, name, getattr(state, name))
    for name in ("address", "random", "confirm"):
        ffi.buffer(getattr(pairing, name))[:] = getattr(state, name)


@ffi.def_extern()  # type: ignore[untyped-decorator]
def pnc_python_reset(user: Any, kind: int) -> bool:
    if kind != ResetKind.FIRMWARE:
        return False  # no bootloader
    _of(user).reset()
    return True


@ffi.def_extern()  # type: ignore[untyped-decorator]
def pnc_python_rssi_dbm(user: Any, peer: int) -> int:
    return _of(user).rssi_dbm(peer)


@ffi.def_extern()  # type: ignore[untyped-decorator]
def pnc_python_wake(user: Any) -> None:
    _of(user).wake()
