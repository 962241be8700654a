"""MCUboot's end of an update: signed images, and its serial recovery, which speaks SMP (package smpclient)."""

from __future__ import annotations

import hashlib
import logging
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from smpclient import SMPClient
from smpclient.exceptions import SMPClientException
from smpclient.generics import success
from smpclient.mcuboot import IMAGE_TLV, ImageInfo, MCUBootImageError
from smpclient.requests.os_management import EchoWrite, ResetWrite
from smpclient.transport import SMPTransportDisconnected
from smpclient.transport.serial import BufferSize, SMPSerialTransport

from ..files import open_to_read

#: The rate of MCUboot's port, bit/s: that of Zephyr's devicetrees.
BAUD = 115200
#: MCUboot's buffer for one packet (CONFIG_BOOT_SERIAL_MAX_RECEIVE_SIZE), bytes.
_PACKET_BYTES = 1024
#: Time for an answer. The first one to an upload may follow the erase of the whole slot.
_ANSWER_S, _FIRST_S = 10.0, 40.0
_ECHO_S = 1.0
#: Where SMP's header of 8 bytes has the number of a request, which its answer repeats.
_NUMBER = slice(6, 7)
#: A packet that was damaged on the wire is not answered. The upload then starts again.
_TRIES = 3
#: What can go wrong on the way to MCUboot.
ERRORS = (SMPClientException, SMPTransportDisconnected, TimeoutError, OSError)


class ImageError(Exception):
    """A file has no intact firmware for MCUboot. The text says what it is."""


@dataclass(frozen=True, slots=True)
class Image:
    """Signed firmware. ``version`` is that of its header, which is the one that the firmware's hello reports."""

    data: bytes
    version: tuple[int, int, int]


def read_image(file: Path) -> Image:
    """Return the signed firmware in a file. Raises ImageError, or OSError if the file cannot be read."""
    with open_to_read(file) as opened:
        data = opened.read()
    try:
        info = ImageInfo.load_file(str(file))
        digest = info.get_tlv(IMAGE_TLV.SHA256).value
    except (MCUBootImageError, ValueError, AssertionError, LookupError, struct.error) as error:
        raise ImageError("no firmware for MCUboot") from error
    header = info.header
    if hashlib.sha256(data[: header.hdr_size + header.img_size + header.protect_tlv_size]).digest() != digest:
        raise ImageError("the file is damaged")
    return Image(data, (header.ver.major, header.ver.minor, header.ver.revision))


class _Transport(SMPSerialTransport):
    """A serial port on which an answer may come when its request was given up: only that to the last one counts."""

    #: An answer has come, be it late.
    heard = False
    _asked = b""

    async def send(self, data: bytes) -> None:
        self._asked = data[_NUMBER]
        await super().send(data)

    async def receive(self) -> bytes:
        while True:
            frame = await super().receive()
            self.heard = True
            if frame[_NUMBER] == self._asked:
                return frame


class McubootClient(SMPClient):
    """A client of what answers SMP at a serial port."""

    def __init__(self, transport: _Transport, port: str) -> None:
        super().__init__(transport, port, timeout_s=_ANSWER_S)
        self._port = transport

    @property
    def heard(self) -> bool:
        """An answer has come, be it late."""
        return self._port.heard


@asynccontextmanager
async def connected(port: str) -> AsyncIterator[McubootClient]:
    """Yield a client of what answers SMP at a serial port. Raises one of ERRORS."""
    transport = _Transport(BufferSize(_PACKET_BYTES), baudrate=BAUD)
    await transport.connect(port, _ANSWER_S)
    logging.disable(logging.WARNING)  # of each question that is not answered
    try:
        yield McubootClient(transport, port)
    finally:
        logging.disable(logging.NOTSET)
        await transport.disconnect()


async def answers(client: McubootClient) -> bool:
    """Ask, and return True if MCUboot answers within a second, or has answered late what was asked before.

    What came before on the wire, such as a hello, may spoil the first question.
    """
    with suppress(*ERRORS):
        return success(await client.request(EchoWrite(d="pnc"), timeout_s=_ECHO_S))
    return client.heard


async def upload(client: SMPClient, image: Image) -> AsyncIterator[float]:
    """Write an image to the board; yield the part that is written, from 0 to 1. Raises one of ERRORS."""
    for tries_left in reversed(range(_TRIES)):
        try:
            async for offset in client.upload(image.data, first_timeout_s=_FIRST_S):
                yield offset / len(image.data)
            return
        except TimeoutError:
            if not tries_left:
                raise


async def start_firmware(client: SMPClient) -> None:
    """Reset the board: MCUboot verifies the image and starts it. Raises one of ERRORS."""
    await client.request(ResetWrite())
