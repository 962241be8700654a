"""The options ``-v`` and ``-q``: the events of the link as lines, or no line beside results and errors."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from ..link.events import Answer, Event, ImageCollected, LinkChanged, Opened, Ready, Unanswered
from ..printing import be_quiet
from ..wire import LinkState


def add_verbosity_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--verbose`` and ``--quiet``."""
    amount = parser.add_mutually_exclusive_group()
    amount.add_argument("-v", "--verbose", action="store_true", help="also print what happens on the link, on stderr")
    amount.add_argument("-q", "--quiet", action="store_true", help="print nothing on stderr but errors")


def event_printer(arguments: argparse.Namespace, on_notice: Callable[[str], None]) -> Callable[[Event], None] | None:
    """Apply the options; return what prints events, None without ``--verbose``."""
    if arguments.quiet:
        be_quiet()
    if not arguments.verbose:
        return None

    def print_event(event: Event) -> None:
        text = describe(event)
        if text:
            on_notice(text)

    return print_event


def to_each(*listeners: Callable[[Event], None] | None) -> Callable[[Event], None] | None:
    """Return what gives an event to all listeners, in their order; None if there is none."""
    present = [listener for listener in listeners if listener is not None]
    if not present:
        return None

    def give(event: Event) -> None:
        for listener in present:
            listener(event)

    return give


def describe(event: Event) -> str:
    """Return an event as a line; empty for one that is printed without ``--verbose`` or says nothing to a user."""
    match event:
        case Opened(hello=hello, restarted=restarted):
            firmware = ".".join(map(str, hello.firmware))
            return f"board {hello.board_id:x}, firmware {firmware}{', started again' if restarted else ''}"
        case LinkChanged(state=LinkState.UP):
            return (
                f"radio link {event.source} is up: PHY {event.phy.name}, {event.mtu} bytes a packet, "
                f"an exchange every {event.interval_us / 1000:g} ms"
            )
        case LinkChanged():
            return f"radio link {event.source} is {event.state.name.lower()} (reason {event.reason})"
        case Ready():
            return (
                f"the edge server answers: {event.round_trip_us / 1000:.1f} ms there and back, "
                f"{event.service_us / 1000:.1f} ms for a picture"
            )
        case Answer():
            best = f"{event.classes[0][1]} {event.classes[0][2]:.0%}" if event.classes else event.status.name.lower()
            kind = "answer" if event.final else "provisional answer"
            return (
                f"image {event.image}: {kind}: {best}, from {len(event.ranks)} packets; {event.sent} sent, "
                f"{event.resent} again"
            )
        case Unanswered():
            return f"image {event.image}: no answer; {event.sent} packets sent, {event.resent} again"
        case ImageCollected():
            size = sum(len(packet.data) for packet in event.packets)
            kind = "collected" if event.final else "so far"
            return f"image {event.image} of camera {event.source}: {kind}: {len(event.packets)} packets, {size:,} bytes"
    return ""
