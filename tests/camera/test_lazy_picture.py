"""A picture encoded while it is sent: its parts and channels are those of the picture encoded at once."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host.camera.lazy_picture import UNKNOWN_PACKETS, LazyPicture
from host.codec import cut, load
from host.ranked import split
from host.wire import MAX_CODEC_BYTES
from tests.codec.conftest import drawing

CODEC = load()
part_sizes = st.sampled_from([(MAX_CODEC_BYTES, MAX_CODEC_BYTES), (40, 40), (40, 90), (4, 30), (100, 236)])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 23), st.none() | st.integers(0, 9000), st.none() | st.integers(1, 5500), part_sizes, st.data())
def test_parts_and_channels_are_those_of_the_whole_picture(
    seed: int, likely: int | None, most: int | None, sizes: tuple[int, int], data: st.DataObject
) -> None:
    whole = CODEC.encode(drawing(seed))
    expected = split(whole if most is None else cut(whole, most), *sizes)
    picture = LazyPicture(CODEC, drawing(seed), likely, most, sizes)
    assert 1 <= len(picture.parts) <= len(expected)
    for _ in range(data.draw(st.integers(0, 12))):
        before = len(picture.parts)
        assert picture.more() == picture.parts[before:]
    assert picture.parts == expected[: len(picture.parts)]
    arrived = picture.parts[: data.draw(st.integers(0, len(picture.parts)))]
    if arrived:
        lost = data.draw(st.integers(0, len(arrived)))
        arrived = arrived[:lost] + arrived[lost + 1 :]
    assert picture.channels_in(arrived) == CODEC.channels_in(arrived)
    while picture.more():
        pass
    assert picture.parts == expected
    assert picture.channels_in(picture.parts) == CODEC.channels_in(expected)


@pytest.mark.parametrize(("likely", "packets"), [(None, UNKNOWN_PACKETS), (0, 1), (117, 1), (118, 2), (500, 5)])
def test_twice_what_the_link_is_likely_to_carry_is_encoded_beforehand(likely: int | None, packets: int) -> None:
    picture = LazyPicture(CODEC, drawing(2), likely, None, (MAX_CODEC_BYTES, MAX_CODEC_BYTES))
    assert len(picture.parts) == packets
