"""Serve the cameras behind an edge board and print what is in their pictures, as they are answered.

Usage: edge_server.py PORT [COUNT]. It stops after COUNT pictures, or by Ctrl-C.
"""

import asyncio
import sys

import pnc_link


def say(text: str) -> None:
    """Print a text from elsewhere as one line that a terminal shows as it is."""
    print(pnc_link.printable(text), flush=True)


async def main(port: str, count: int) -> None:
    transport = pnc_link.SerialTransport(port)
    server = pnc_link.EdgeServer(transport, pnc_link.load_codec(), pnc_link.load_classifier(), on_notice=say)
    async with server:
        async for picture in server:
            label = picture.top[0][1] if picture.top else "nothing decodable"
            say(f"camera {picture.source}, image {picture.image}, {picture.bytes} bytes: {label}")
            count -= 1
            if count == 0:
                break


try:
    asyncio.run(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0))
except pnc_link.PncError as error:
    sys.exit(pnc_link.printable(f"{error} ({error.reason})"))
except KeyboardInterrupt:
    pass
