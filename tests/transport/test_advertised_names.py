"""Names that strangers advertise are shown, and obeyed by no terminal."""

from __future__ import annotations

import pytest

from host.transport.ble import Advertisement, choose
from host.transport.transport import TransportError

EVIL = "cam\x1b]0;title\x07\x1b[2J\r\nrecv: connected to roof"


def test_the_list_of_boards_in_reach_is_one_printable_line() -> None:
    found = [
        Advertisement("AA:BB:CC:DD:EE:01", EVIL, -40, None),  # type: ignore[arg-type]
        Advertisement("AA:BB:CC:DD:EE:02", "roof", -50, None),  # type: ignore[arg-type]
    ]
    with pytest.raises(TransportError) as raised:
        choose(found)
    assert str(raised.value) == (
        "several camera boards are in reach: AA:BB:CC:DD:EE:01 cam\\x1b]0;title\\x07\\x1b[2J\\r\\nrecv: connected to "
        "roof (-40 dBm), AA:BB:CC:DD:EE:02 roof (-50 dBm)"
    )
