"""What sender and receiver report to the program around them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from ..ranked import RankedPacket
from ..wire import Hello, LinkState, Phy, ResultStatus


class FailureReason(Enum):
    """What ends a session, and what a person can do about it."""

    NO_BOARD = "no board answered"
    SILENT = "the board stopped answering"
    VERSION = "the board speaks another protocol version"
    ROLE = "the board has another role"
    CONFIGURE = "the board refused the configuration"


@dataclass(frozen=True, slots=True)
class Opened:
    """The board answered our hello."""

    hello: Hello
    restarted: bool  # it was open before: the board or the cable came back


@dataclass(frozen=True, slots=True)
class Failed:
    """The session cannot go on; ``detail`` is one line for a person."""

    reason: FailureReason
    detail: str


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """A radio connection came up, changed or went down. ``source`` is 0 on a camera."""

    source: int
    state: LinkState
    phy: Phy
    mtu: int
    interval_us: int
    reason: int


@dataclass(frozen=True, slots=True)
class Ready:
    """The edge server answered across the link: pictures may be submitted."""

    round_trip_us: int
    service_us: int


@dataclass(frozen=True, slots=True)
class Answer:
    """The edge server's answer to an image."""

    image: int
    status: ResultStatus
    text: str  # what went wrong, if the status is failed
    classes: tuple[tuple[int, str, float], ...]  # index, label, probability; best first
    ranks: frozenset[int]  # that arrived in time
    send_by_us: int  # the transmission deadline, on the sender's clock
    margin_us: int  # between the last used packet's arrival and that deadline
    service_us: int
    answered_us: int  # on the sender's clock
    late: bool  # after the deadline
    sent: int  # packets that the board was given
    resent: int  # of them, a second time because the first broke on the serial hop


@dataclass(frozen=True, slots=True)
class Unanswered:
    """No answer came by the deadline and the grace after it."""

    image: int
    sent: int
    resent: int


@dataclass(frozen=True, slots=True)
class ImageCollected:
    """The packets of one image that arrived by its deadline; ``packets`` in the order of rank."""

    source: int
    image: int
    packets: tuple[RankedPacket, ...]
    whole: bool
    deadline_us: int  # on the receiver's clock
    arrived_us: Mapping[int, int] = field(default_factory=dict)  # of each rank


@dataclass(frozen=True, slots=True)
class Notice:
    """A line for a person from the board."""

    level: int
    text: str


Event = Opened | Failed | LinkChanged | Ready | Answer | Unanswered | ImageCollected | Notice
