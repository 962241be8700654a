"""Events that sender and receiver report to the program around them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum

from ..errors import Reason
from ..ranked import RankedPacket
from ..wire import Hello, LinkState, Phy, ResultStatus


class FailureReason(Enum):
    """Why a session ended. The value is text for the user."""

    NO_BOARD = "no board answered"
    SILENT = "the board stopped answering"
    VERSION = "the board speaks another protocol version"
    ROLE = "the board has another role"
    CONFIGURE = "the board refused the configuration"
    UNCONFIRMED = "the board did not confirm its role"


#: Reason of an error that reports a failure.
REASONS: Mapping[FailureReason, Reason] = {
    FailureReason.NO_BOARD: Reason.NO_BOARD,
    FailureReason.SILENT: Reason.BOARD_SILENT,
    FailureReason.VERSION: Reason.WRONG_FIRMWARE,
    FailureReason.ROLE: Reason.WRONG_ROLE,
    FailureReason.CONFIGURE: Reason.REFUSED,
    FailureReason.UNCONFIRMED: Reason.NOT_READY,
}


@dataclass(frozen=True, slots=True)
class Opened:
    """The board answered our hello."""

    hello: Hello
    restarted: bool  # the session was open before: the board or the cable came back


@dataclass(frozen=True, slots=True)
class Failed:
    """The session ended. ``str()`` is one line for the user: the reason and the detail."""

    reason: FailureReason
    detail: str

    def __str__(self) -> str:
        return f"{self.reason.value}: {self.detail}"


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
    text: str  # cause, if the status is failed
    classes: tuple[tuple[int, str, float], ...]  # index, label, probability; best first
    ranks: frozenset[int]  # ranks that arrived in time
    send_by_us: int  # the transmission deadline, on the sender's clock
    margin_us: int  # from the arrival of the last used packet to that deadline
    service_us: int
    answered_us: int  # on the sender's clock
    late: bool  # after the deadline
    final: bool  # False: provisional, the best so far; another answer for the image follows
    sent: int  # packets given to the board
    resent: int  # packets given again because the board did not receive them


@dataclass(frozen=True, slots=True)
class Unanswered:
    """No answer arrived by the deadline and the grace after it."""

    image: int
    sent: int
    resent: int


@dataclass(frozen=True, slots=True)
class ImageCollected:
    """What has arrived of one image, ordered by rank: an answer is due."""

    source: int
    image: int
    program: int  # of the camera computer, modulo 4
    packets: tuple[RankedPacket, ...]
    whole: bool  # every rank arrived
    deadline_us: int  # when the answer must leave the server, on the receiver's clock
    arrived_us: Mapping[int, int] = field(default_factory=dict)  # by rank
    final: bool = True  # False: for a provisional answer; the image stays open and is reported again


@dataclass(frozen=True, slots=True)
class Notice:
    """A line of text from the board for the user."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Implausible:
    """The other end sent what cannot be true: it was not used. ``str()`` is one line for the user."""

    text: str  # what it was
    times: int  # how often, since the last report of the same

    def __str__(self) -> str:
        often = "" if self.times == 1 else f" ({self.times} times)"
        return f"not used, since it cannot be true: {self.text}{often}"


class KeyFault(StrEnum):
    """How the keys of camera and edge server differ. The value is text for the user, after the other end's name."""

    NONE_THERE = "has no key, and this program has one"
    NONE_HERE = "has a key, and this program has none"
    OTHER = "has another key"


@dataclass(frozen=True, slots=True)
class KeyMismatch:
    """Camera and edge server do not have the same key: no picture gets through. ``str()`` is one line for the user."""

    source: int  # the camera's number at the edge board; 0 on a camera
    fault: KeyFault
    at_camera: bool  # reported by a camera, about its edge server; else the reverse

    def __str__(self) -> str:
        return f"{'the edge server' if self.at_camera else f'camera {self.source}'} {self.fault.value}"


Event = (
    Opened | Failed | LinkChanged | Ready | Answer | Unanswered | ImageCollected | Notice | Implausible | KeyMismatch
)
