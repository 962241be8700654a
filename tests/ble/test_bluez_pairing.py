"""The agent that says yes to BlueZ, for one board only; pairing against a BlueZ that this program plays."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest

from host.transport import bluez

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="BlueZ is Linux's")
BOARD, OTHER = "/org/bluez/hci0/dev_C0_00_00_00_00_01", "/org/bluez/hci0/dev_C0_00_00_00_00_02"


def question(member: str, *body: Any, signature: str = "", interface: str = "org.bluez.Agent1") -> Any:
    """What BlueZ asks an agent."""
    from dbus_fast import Message

    return Message(
        path="/pnc_link/agent", interface=interface, member=member, signature=signature, body=list(body), serial=7
    )


def test_it_allows_the_board_that_is_being_paired_and_nothing_else() -> None:
    from dbus_fast import MessageType

    allowed = bluez.answer(question("RequestAuthorization", BOARD, signature="o"), BOARD)
    assert allowed is not None
    assert (allowed.message_type, allowed.reply_serial) == (MessageType.METHOD_RETURN, 7)
    for asked in (
        question("RequestAuthorization", OTHER, signature="o"),
        question("RequestConfirmation", BOARD, 123456, signature="ou"),
        question("AuthorizeService", BOARD, "0000110a-0000-1000-8000-00805f9b34fb", signature="os"),
        question("RequestPasskey", BOARD, signature="o"),
    ):
        refused = bluez.answer(asked, BOARD)
        assert refused is not None
        assert (refused.message_type, refused.error_name) == (MessageType.ERROR, "org.bluez.Error.Rejected")
    for told in ("Cancel", "Release"):
        heard = bluez.answer(question(told), BOARD)
        assert heard is not None
        assert heard.message_type == MessageType.METHOD_RETURN


def test_what_is_not_for_the_agent_is_left_to_others() -> None:
    assert bluez.answer(question("Ping", interface="org.freedesktop.DBus.Peer"), BOARD) is None


class _Bus:
    """D-Bus with BlueZ at its other end. ``called``: methods in their order."""

    def __init__(self, *, paired: bool = False, fails: str = "") -> None:
        self.called: list[str] = []
        self.ended = False
        self._paired = paired
        self._fails = fails

    async def connect(self) -> _Bus:
        return self

    def add_message_handler(self, handler: Any) -> None:
        self._agent = handler

    def disconnect(self) -> None:
        self.ended = True

    async def call(self, message: Any) -> Any:
        from dbus_fast import Message, MessageType, Variant

        message.serial = 1
        self.called.append(message.member)
        if message.member == "Get":
            return Message.new_method_return(message, "v", [Variant("b", self._paired)])
        if message.member == "Pair":
            asked = self._agent(question("RequestAuthorization", message.path, signature="o"))
            assert asked.message_type == MessageType.METHOD_RETURN
        if message.member == self._fails:
            return Message.new_error(message, "org.bluez.Error.AuthenticationFailed", "Authentication Failed")
        return Message.new_method_return(message)


def pair(bus: _Bus, monkeypatch: pytest.MonkeyPatch, *, allowed: bool = True) -> None:
    """Pair over that bus."""
    monkeypatch.setattr("dbus_fast.aio.MessageBus", lambda **_options: bus)
    try:
        asyncio.run(bluez.pair(BOARD, allowed=allowed))
    finally:
        assert bus.ended


def test_a_board_is_paired_by_a_program_with_an_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    bus = _Bus()
    pair(bus, monkeypatch)
    assert bus.called == ["Get", "RegisterAgent", "Pair"]


def test_a_paired_board_is_not_paired_again(monkeypatch: pytest.MonkeyPatch) -> None:
    bus = _Bus(paired=True)
    pair(bus, monkeypatch)
    assert bus.called == ["Get"]


@pytest.mark.parametrize("fails", ["RegisterAgent", "Pair"])
def test_what_bluez_says_of_a_failure_is_passed_on(fails: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(bluez.BluezError, match=r"^\[org.bluez.Error.AuthenticationFailed\] Authentication Failed$"):
        pair(_Bus(fails=fails), monkeypatch)


def test_a_stranger_is_not_paired_with_unless_that_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    bus = _Bus()
    with pytest.raises(bluez.NotPairedError, match="not paired with this computer"):
        pair(bus, monkeypatch, allowed=False)
    assert bus.called == ["Get"]
    paired = _Bus(paired=True)
    pair(paired, monkeypatch, allowed=False)
