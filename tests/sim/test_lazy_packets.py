"""A picture that is encoded while it is sent arrives just as one that was encoded before: packet by packet, in time.

The same world runs twice. In one run the sender gets all packets at once, in the other as it asks for them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from host.camera.lazy_picture import LazyPicture
from host.codec import load
from host.link.events import Answer
from host.ranked import split
from host.sim.trace import ChannelState, Trace
from host.sim.world import WorldSettings
from tests.codec.conftest import drawing
from tests.sim.scene import SECOND_US, Heard, Scene

CODEC = load()
DEADLINE_US = 600_000
SLOW, FAST = ChannelState(rate_bps=12_000), ChannelState()
#: The channel while the link is measured, and while the last picture is sent.
CHANNELS = {
    "slow": (SLOW, SLOW),
    "turns faster": (SLOW, FAST),
    "turns slower": (FAST, SLOW),
    "fast": (FAST, FAST),
    "loses packets": (ChannelState(loss=0.3), ChannelState(rate_bps=60_000, loss=0.4)),
}
TURN_US = 30 * SECOND_US


@dataclass
class Run:
    """The last picture of a run: what the radio got, and when; the answer; bytes that were encoded, and likely ones."""

    handed: list[Heard]
    answer: object
    encoded: int
    likely: int | None


def run(channels: tuple[ChannelState, ChannelState], pictures: list[np.ndarray], *, lazy: bool) -> Run:
    """Send two pictures before the channel changes and one after it."""
    scene = Scene(WorldSettings(seed=3, trace=Trace([0, TURN_US], list(channels))))
    assert scene.ready()
    encoded, likely, number = 0, None, -1
    for index, pixels in enumerate(pictures):
        if index == len(pictures) - 1:
            scene.run(TURN_US - scene.now_us)
            scene.tap.handed.clear()
        sender = scene.senders[0]
        parts, likely = sender.part_bytes(), sender.likely_bytes(scene.now_us, scene.now_us + DEADLINE_US)
        picture = LazyPicture(CODEC, pixels, likely, None, parts)
        if lazy:
            number = scene.submit(picture.parts, DEADLINE_US, more=picture.more)
        else:
            number = scene.submit(split(CODEC.encode(pixels), *parts), DEADLINE_US)
        assert scene.run_until(lambda n=number: n in scene.outcomes[0], DEADLINE_US + SECOND_US)  # type: ignore[misc]
        encoded = sum(len(part.data) for part in picture.parts)
    return Run(list(scene.tap.handed), scene.outcomes[0][number], encoded, likely)


@pytest.mark.parametrize("name", CHANNELS)
def test_what_arrives_does_not_depend_on_when_it_was_encoded(name: str) -> None:
    pictures = [drawing(3), drawing(4), drawing(5)]
    at_once, as_asked = run(CHANNELS[name], pictures, lazy=False), run(CHANNELS[name], pictures, lazy=True)
    assert as_asked.handed == at_once.handed
    assert as_asked.answer == at_once.answer
    assert len(at_once.handed) > 3


def test_on_a_slow_link_only_a_part_is_encoded_and_all_of_it_when_the_link_turns_faster() -> None:
    pictures = [drawing(3), drawing(4), drawing(5)]
    whole = sum(len(packet.data) for packet in CODEC.encode(pictures[-1]))
    slow, faster = (run(CHANNELS[name], pictures, lazy=True) for name in ("slow", "turns faster"))
    for found in (slow, faster):
        assert found.likely is not None
        assert found.likely < whole / 4
    assert slow.encoded < whole * 0.6
    assert faster.encoded == whole
    assert isinstance(faster.answer, Answer)
    assert sum(len(heard.packet.data) for heard in faster.handed) >= whole
