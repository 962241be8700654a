"""Taps: record what passes between a program and its board. What passes is not changed, and not delayed."""

from __future__ import annotations

from functools import partial

from ..link.events import Event
from ..transport.driver import ProtocolMachine, now_us
from ..transport.transport import Transport, TransportError
from ..wire import Picture, Result
from .entry import Entry
from .of_events import of_event
from .of_packets import PacketLog
from .recorder import Recorder


class Tap:
    """Records for one program: the bytes of its line, and the events that its protocol machine reports."""

    def __init__(self, recorder: Recorder, vantage: str, source: int | None = None, *, opened: bool = False) -> None:
        """``opened``: packets of pictures are sealed on the line, and ``packet`` is told what they hold."""
        self.vantage = vantage
        self._recorder = recorder
        self._source = source
        self._packets = PacketLog(vantage, source, opened=opened)

    def bytes(self, time_us: int, data: bytes, *, to_board: bool) -> None:
        """Record bytes of the line."""
        if data:
            packets = self._packets
            self._recorder.add(partial(packets.read, time_us, data, to_board=to_board))

    def packet(self, packet: Picture | Result) -> None:
        """Record what a sealed packet holds, now, in real time."""
        self._recorder.add(partial(self._packets.opened, now_us(), packet))

    def event(self, event: Event) -> None:
        """Record an event that happens now, in real time."""
        self.event_at(now_us(), event)

    def event_at(self, time_us: int, event: Event) -> None:
        """Record an event."""
        self._recorder.add(partial(of_event, time_us, self.vantage, event, self._source))

    def entry(self, event: str, **fields: object) -> None:
        """Record anything else that happens now, in real time."""
        self.entry_at(now_us(), event, **fields)

    def entry_at(self, time_us: int, event: str, **fields: object) -> None:
        """Record anything else."""
        own = {} if self._source is None else {"source": self._source}
        self._recorder.add_entry(Entry(time_us, self.vantage, event, own | fields))


def add_submitted(
    tap: Tap, image: int, *, taken_us: int, encoded_us: int, deadline_us: int, packets: int, size: int
) -> None:
    """Record a picture that a camera has encoded and given to its link."""
    tap.entry_at(
        encoded_us,
        "encoded",
        image=image,
        since_taken_us=encoded_us - taken_us,
        left_us=deadline_us - encoded_us,
        packets=packets,
        bytes=size,
    )


class TappedTransport:
    """A transport whose bytes are recorded."""

    def __init__(self, transport: Transport, tap: Tap) -> None:
        self._transport = transport
        self._tap = tap

    @property
    def name(self) -> str:
        """Name of the transport itself."""
        return self._transport.name

    @name.setter
    def name(self, name: str) -> None:
        self._transport.name = name

    async def open(self) -> None:
        """Open the transport."""
        await self._transport.open()
        self._tap.entry("port opened", port=self.name)

    def write(self, data: bytes) -> None:
        """Write to the transport, then record."""
        self._transport.write(data)
        self._tap.bytes(now_us(), data, to_board=True)

    async def read(self) -> bytes:
        """Read from the transport, and record."""
        try:
            data = await self._transport.read()
        except TransportError as error:
            self._tap.entry("port lost", port=self.name, text=str(error))
            raise
        self._tap.bytes(now_us(), data, to_board=False)
        return data

    async def close(self) -> None:
        """Close the transport."""
        await self._transport.close()


class TappedMachine:
    """A protocol machine whose bytes and events are recorded, with the time that it is given: for virtual time."""

    def __init__(self, machine: ProtocolMachine, tap: Tap) -> None:
        self._machine = machine
        self._tap = tap
        self._now_us = 0

    def start(self, now_us: int) -> None:
        """Start the machine."""
        self._now_us = now_us
        self._machine.start(now_us)

    def receive(self, now_us: int, data: bytes) -> list[Event]:
        """Record bytes of the board and give them to the machine."""
        self._now_us = now_us
        self._tap.bytes(now_us, data, to_board=False)
        return self._recorded(self._machine.receive(now_us, data))

    def tick(self, now_us: int) -> list[Event]:
        """Advance the machine's time."""
        self._now_us = now_us
        return self._recorded(self._machine.tick(now_us))

    def output(self) -> bytes:
        """Return the machine's bytes, and record them."""
        data = self._machine.output()
        self._tap.bytes(self._now_us, data, to_board=True)
        return data

    def wake_at(self) -> int | None:
        """Return when the machine's ``tick`` is due."""
        return self._machine.wake_at()

    def _recorded(self, events: list[Event]) -> list[Event]:
        for event in events:
            self._tap.event_at(self._now_us, event)
        return events
