"""The decoder: every prefix gives a picture, and more packets give a better one."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from host.codec import SIDE, Codec, Decoded, Decoder, cut
from host.ranked import RankedPacket
from host.wire import MAX_CODEC_BYTES
from tests.codec.conftest import drawing


def error(decoded: Decoded, picture: np.ndarray) -> float:
    """Return the mean squared error of a decoded picture."""
    return float(np.mean((decoded.picture.astype(np.float64) - picture) ** 2))


def test_every_prefix_length_decodes_and_more_packets_err_less_on_average(
    codec: Codec, decoder: Decoder, drawings: list[np.ndarray]
) -> None:
    cuts = 11
    sums = np.zeros(cuts)
    for picture in drawings[:8]:
        packets = codec.encode(picture)
        prefixes = [packets[:n] for n in range(len(packets) + 1)]
        decoded = decoder.decode_batch(prefixes)
        assert [d.used for d in decoded] == [len(p) for p in prefixes]
        assert all(d.picture.shape == (SIDE, SIDE, 3) and d.picture.dtype == np.uint8 for d in decoded)
        errors = [error(d, picture) for d in decoded]
        # Packets hold different parts in different pictures, so compare at equal shares of the packets.
        sums += [errors[round(share * len(packets))] for share in np.linspace(0, 1, cuts)]
    assert all(later <= 1.03 * earlier for earlier, later in itertools.pairwise(sums)), sums
    assert sums[-1] < 0.1 * sums[0]


def test_no_packet_at_all_gives_a_picture_of_nothing(decoder: Decoder) -> None:
    decoded = decoder.decode([])
    assert (decoded.channels, decoded.used, decoded.issues) == (0.0, 0, ())
    assert decoded.picture.shape == (SIDE, SIDE, 3)


def test_what_did_not_arrive_is_reported_for_each_cell(codec: Codec, decoder: Decoder) -> None:
    packets = codec.encode(drawing(6))
    decoded = decoder.decode_batch([cut(packets, size) for size in (0, 200, 700, 1000, 2000, 5000)])
    shares = np.array([each.interpolated for each in decoded])
    assert shares.shape == (6, SIDE // 8, SIDE // 8)
    assert shares.dtype == np.float32
    assert (shares[0] == 1).all()
    assert (np.diff(shares, axis=0) <= 0).all()
    assert (np.diff(shares.mean(axis=(1, 2))) < 0).all()
    for each in decoded:  # a channel counts by its bit-planes here, and as one in ``channels``
        assert (each.interpolated.mean() == 1) == (each.channels == 0)


def test_the_cells_of_a_pass_that_arrived_in_part_differ(codec: Codec, decoder: Decoder) -> None:
    """A pass holds a bit-plane of all cells, row by row; so where it ends, the rows below lack one plane more."""
    packets = codec.encode(drawing(6))
    rows = decoder.decode(cut(packets, 700)).interpolated
    assert len(np.unique(rows)) == 2
    border = int(np.argmax(rows.max(axis=1) == rows.max()))
    assert (rows[: max(border, 0)] == rows.min()).all()
    assert (rows[border + 1 :] == rows.max()).all()


def test_bytes_that_were_used_are_those_before_a_gap(codec: Codec, decoder: Decoder) -> None:
    packets = codec.encode(drawing(7))
    torn, damaged = decoder.decode_batch([packets[:3] + packets[4:], [*packets[:2], replace(packets[2], data=b"\1")]])
    assert torn.used_bytes == sum(len(packet.data) for packet in packets[:3])
    assert damaged.used_bytes == sum(len(packet.data) for packet in packets[:2])
    assert decoder.decode(packets + packets[:4]).used_bytes == sum(len(packet.data) for packet in packets)


def test_a_gap_gives_the_picture_that_came_before_it(codec: Codec, decoder: Decoder) -> None:
    for seed in range(4):
        packets = codec.encode(drawing(seed))
        gap = len(packets) // 2
        torn, before = decoder.decode_batch([packets[:gap] + packets[gap + 1 :], packets[:gap]])
        assert (torn.used, len(torn.issues)) == (gap, len(packets) - gap - 1)
        assert np.array_equal(torn.picture, before.picture)


def test_order_and_duplicates_do_not_change_the_picture(codec: Codec, decoder: Decoder) -> None:
    packets = codec.encode(drawing(5))
    shuffled = [packets[i] for i in np.random.default_rng(0).permutation(len(packets))]
    straight, mixed = decoder.decode(packets), decoder.decode(shuffled + packets[:3])
    assert np.array_equal(straight.picture, mixed.picture)
    assert mixed.used == straight.used == len(packets)


def test_damage_is_reported_with_the_picture_that_is_left(codec: Codec, decoder: Decoder) -> None:
    packets = codec.encode(drawing(6))
    hostile = [RankedPacket(9, 60_000, b"\xff" * MAX_CODEC_BYTES), RankedPacket(1, packets[1].position, b"\x11")]
    decoded = decoder.decode([packets[0], *hostile])
    assert decoded.used == 1
    assert len(decoded.issues) == 2
    assert np.array_equal(decoded.picture, decoder.decode(packets[:1]).picture)


def test_a_batch_decodes_like_its_pictures_one_by_one(codec: Codec, decoder: Decoder) -> None:
    streams = [codec.encode(drawing(seed))[: 2 + seed] for seed in range(4)]
    for one, many in zip([decoder.decode(s) for s in streams], decoder.decode_batch(streams), strict=True):
        assert (one.channels, one.used) == (many.channels, many.used)
        # The order of float sums may differ with the batch: a level at most.
        assert np.abs(one.picture.astype(int) - many.picture).max() <= 1
    assert decoder.decode_batch([]) == []


def test_without_onnxruntime_the_decoder_names_the_extra() -> None:
    program = """
import sys
sys.modules["onnxruntime"] = None
from host.codec import CodecError, load
try:
    load().decoder()
except CodecError as error:
    print(error.reason, error.subject)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "missing package pnc-link[edge]\n"


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system pins no process to a CPU")
def test_the_decoder_computes_on_the_cpus_that_its_process_may_use() -> None:
    pytest.importorskip("onnxruntime", reason="the decoder needs the extra pnc-link[edge]")
    program = """
import os, threading
from pathlib import Path
from host.codec import load
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
tasks = lambda: len(list(Path("/proc/self/task").iterdir()))
before = load().decoder(threads=1), tasks()
after = load().decoder(), tasks()
three = load().decoder(threads=3), tasks()
print(after[1] - before[1], three[1] - after[1])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "2"]


def test_reports_of_onnxruntime_to_its_maker_are_off_unless_the_user_says_otherwise() -> None:
    name = "ORT_DISABLE_TELEMETRY"
    program = f"import os; from host.codec import load; load().decoder(); print(os.environ[{name!r}])"
    for chosen, found in ({}, "1"), ({name: "0"}, "0"):
        environment = {key: value for key, value in os.environ.items() if key != name} | chosen
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == found


def test_a_sender_needs_neither_torch_nor_onnxruntime() -> None:
    program = """
import sys
import numpy as np
import pytest
from host.codec import load
packets = load().encode(np.full((224, 224, 3), 90, np.uint8))
assert packets
print(sorted({"torch", "onnxruntime", "onnx"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
