"""What the edge server reports of a picture that it answered."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class AnsweredPicture:
    """A picture that was decoded, classified and answered."""

    time: str  # of the answer, local time in ISO 8601
    source: int  # the camera's number at the edge board
    image: int  # the picture's number on the wire, 0..65535
    whole: bool  # every packet arrived by the deadline
    packets: int  # that arrived by the deadline
    bytes: int  # codec bytes in them
    channels: float  # of the codec, parts counted as parts
    margin_ms: float  # from the arrival of the last packet to the moment when the answer had to leave
    service_ms: float  # time to decode and classify
    top: tuple[tuple[int, str, float], ...]  # class index, label, probability; best first; empty if nothing decoded
    issues: tuple[str, ...]  # what was wrong with the packets, or when saving
    enough: bool = False  # the server was sure before everything had arrived, and the camera sends no more
    picture: str | None = None  # the file of the decoded picture, if it was saved
    pixels: npt.NDArray[np.uint8] | None = field(default=None, repr=False, compare=False)  # decoded, [224, 224, 3] RGB

    def as_json(self) -> dict[str, Any]:
        """Return all fields but the pixels as a dictionary."""
        return {each.name: getattr(self, each.name) for each in fields(self) if each.name != "pixels"}
