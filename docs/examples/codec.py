"""Encode a picture, keep the most important packets that fit into a number of bytes, and decode those.

Usage: codec.py PICTURE BYTES OUTPUT.png
"""

import sys

import pnc_link
from PIL import Image


def main(file: str, budget: int, output: str) -> None:
    codec = pnc_link.load_codec()
    packets = codec.encode(pnc_link.load_picture(file))
    kept = []
    for packet in packets:  # the most important first
        budget -= len(packet.data)
        if budget < 0:
            break
        kept.append(packet)
    decoded = codec.decoder().decode(kept)
    Image.fromarray(decoded.picture).save(output)
    print(f"{len(kept)} of {len(packets)} packets, {sum(len(packet.data) for packet in kept)} bytes")


try:
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
except pnc_link.PncError as error:
    sys.exit(pnc_link.printable(f"{error} ({error.reason})"))
