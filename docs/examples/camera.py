"""Send a picture and print its answer, on virtual boards with both ends in this process.

With real boards the camera's program has a `SerialTransport("/dev/ttyACM0")` in place of the first virtual board, and
the edge server runs as a program of its own: `edge_server.py`, or the command `pnc-recv`.
"""

import asyncio
import sys

import pnc_link


async def main(file: str) -> None:
    codec = pnc_link.load_codec()
    classifier = pnc_link.load_classifier()
    async with (
        pnc_link.virtual_boards() as (camera_board, edge_board),
        pnc_link.EdgeServer(edge_board, codec, classifier),
        pnc_link.Camera(camera_board, codec) as camera,
    ):
        await camera.connect()
        report = await camera.send_picture(file, deadline_ms=2000)
    print(f"{report.bytes_delivered:d} of {report.bytes_encoded:d} bytes arrived in time")
    for _index, label, probability in report.top:
        print(f"{probability:6.1%}  {pnc_link.printable(label)}")


try:
    asyncio.run(main(sys.argv[1]))
except pnc_link.PncError as error:
    sys.exit(pnc_link.printable(f"{error} ({error.reason})"))
