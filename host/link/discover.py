"""Which serial ports have a board behind them."""

from __future__ import annotations

from serial.tools import list_ports

from host.link.port import PortError

#: USB vendors: SEGGER (the debugger of a development kit), Nordic Semiconductor (the chip's own USB).
BOARD_VENDORS = {0x1366, 0x1915}


def candidates() -> list[str]:
    """Ports that may have a board behind them, by USB vendor."""
    return sorted(port.device for port in list_ports.comports() if port.vid in BOARD_VENDORS)


def only_board() -> str | None:
    """The port of the attached board, None if there is none; PortError if there are several to choose from."""
    ports = candidates()
    if len(ports) > 1:
        raise PortError(f"several boards are attached ({', '.join(ports)}): choose one with --port")
    return ports[0] if ports else None
