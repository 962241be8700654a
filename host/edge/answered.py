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
    used_bytes: int  # those of them that could be decoded: without packets after a gap and damaged ones
    channels: float  # of the codec, parts counted as parts
    interpolated: float  # mean share of the picture's bit-planes that did not arrive, 0..1: the decoder filled them in
    margin_ms: float  # from the arrival of the last packet to the moment when the answer had to leave
    service_ms: float  # time to decode and classify
    top: tuple[tuple[int, str, float], ...]  # class index, label, probability; best first; empty if nothing decoded
    issues: tuple[str, ...]  # what was wrong with the packets, or when saving
    enough: bool = False  # the server was sure before everything had arrived, and the camera sends no more
    picture: str | None = None  # the file of the decoded picture, if it was saved
    cell_map: str | None = None  # the file with the share of each 8x8 cell that is interpolated, if it was saved
    pixels: npt.NDArray[np.uint8] | None = field(default=None, repr=False, compare=False)  # decoded, [224, 224, 3] RGB
    cells: npt.NDArray[np.float32] | None = field(default=None, repr=False, compare=False)  # as Decoded.interpolated

    def as_json(self) -> dict[str, Any]:
        """Return all fields but the arrays as a dictionary."""
        return {each.name: getattr(self, each.name) for each in fields(self) if each.name not in ("pixels", "cells")}
