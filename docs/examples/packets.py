"""Encode a picture and write its ranked packets as JSON, for a program in another language that sends them.

Usage: packets.py PICTURE OUTPUT.json
"""

import json
import sys
from pathlib import Path

import pnc_link


def main(file: str, output: str) -> None:
    packets = pnc_link.load_codec().encode(pnc_link.load_picture(file))
    rows = [{"rank": packet.rank, "position": packet.position, "data": packet.data.hex()} for packet in packets]
    Path(output).write_text(json.dumps({"packets": rows}, indent=1) + "\n")
    print(f"{len(rows)} packets, {sum(len(packet.data) for packet in packets)} bytes")


try:
    main(sys.argv[1], sys.argv[2])
except pnc_link.PncError as error:
    sys.exit(pnc_link.printable(f"{error} ({error.reason})"))
