"""Pictures that are encoded for sealed packets: room for counter and tag, the same stretches however they are asked."""

from __future__ import annotations

import numpy as np
import pytest

from host.camera.lazy_picture import LazyPicture
from host.codec import load, load_picture
from host.codec.parts import joined
from host.wire import MAX_CODEC_BYTES
from tests.commands.conftest import SAMPLE

CODEC = load()
PIXELS = load_picture(SAMPLE)
SEALED = (228, 8)


def picture(
    likely: int | None, most: int | None = None, parts: tuple[int, int] = (MAX_CODEC_BYTES,) * 2
) -> LazyPicture:
    made = LazyPicture(CODEC, PIXELS, likely, most, parts, SEALED)
    while made.more():
        pass
    return made


def test_the_first_packet_has_220_bytes_and_the_others_228() -> None:
    sizes = [len(packet.data) for packet in picture(None).parts]
    assert sizes == [220] + [228] * 20


@pytest.mark.parametrize("likely", [None, 0, 300, 5000])
def test_packets_do_not_depend_on_how_much_is_encoded_at_once(likely: int | None) -> None:
    assert picture(likely).parts == picture(10_000).parts


def test_parts_join_to_the_packets_and_decode_the_same() -> None:
    whole, parts = picture(None).parts, picture(None, parts=(40, 100)).parts
    assert max(len(part.data) for part in parts) <= 150
    assert joined(parts) == whole
    assert CODEC.channels_in(parts) == CODEC.channels_in(whole)


@pytest.mark.parametrize("most", [1, 4, 12, 219, 220, 221, 448, 449, 1000, 4780])
def test_a_bound_in_bytes_is_met(most: int) -> None:
    parts = picture(None, most).parts
    assert sum(len(part.data) for part in parts) == most
    assert parts[:-1] == picture(None).parts[: len(parts) - 1]


def test_sealed_packets_hold_nearly_what_the_others_hold() -> None:
    usual = LazyPicture(CODEC, PIXELS, 10_000, None, (MAX_CODEC_BYTES,) * 2)
    assert picture(None).channels_in(picture(None).parts) > 0.95 * usual.channels_in(usual.parts)


@pytest.mark.parametrize("first_less", [-1, 200])
def test_a_first_packet_without_room_is_refused(first_less: int) -> None:
    with pytest.raises(ValueError, match="first packet"):
        CODEC.encoder(np.zeros((224, 224, 3), np.uint8), 228, first_less=first_less)
