"""A camera program: send the newest picture of a camera again and again, and print each answer.

Usage: live_camera.py PORT [DEVICE [COUNT]]. PORT is the camera board's serial port; DEVICE is 0, /dev/video0, pi or a
film, by default the first camera. It stops after COUNT pictures, at the end of a film, or by Ctrl-C.
"""

import asyncio
import sys

import pnc_link


def say(text: str) -> None:
    """Print a text from elsewhere as one line that a terminal shows as it is."""
    print(pnc_link.printable(text), flush=True)


async def main(port: str, device: str, count: int) -> None:
    camera = pnc_link.Camera(pnc_link.SerialTransport(port), reopen=True, on_notice=say)
    async with pnc_link.LiveCamera(device, on_notice=say) as source, camera:
        await camera.connect()
        while (picture := await source.next()) is not None:
            pixels = await asyncio.to_thread(picture.load, say)
            try:
                report = await camera.send_picture(pixels, deadline_ms=500, taken_us=picture.taken_us)
            except pnc_link.DeadlineInfeasibleError as error:
                say(str(error))
                continue
            label = report.top[0][1] if report.top else "-"
            say(f"{picture.name}: {report.status}, {report.bytes_delivered} bytes, {label}")
            count -= 1
            if count == 0:
                break


try:
    arguments = [*sys.argv[1:], *["", "0"][len(sys.argv) - 2 :]]
    asyncio.run(main(arguments[0], arguments[1], int(arguments[2])))
except pnc_link.PncError as error:
    sys.exit(pnc_link.printable(f"{error} ({error.reason})"))
except KeyboardInterrupt:
    pass
