"""The command ``recv --ble`` beside a test, until it has printed what the test waits for."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from host import recv
from host.transport.ble import Bluetooth
from tests.edge.tiny_models import colour_classifier


async def printed_by_recv(
    bluetooth: Bluetooth, folder: Path, capsys: pytest.CaptureFixture[str], *, options: list[str], until: str
) -> str:
    """Serve until a text was printed; return all that was printed to standard error."""
    classifier = colour_classifier(folder / "colours.onnx")
    arguments = recv.parser().parse_args(["--ble", *options, "--classifier", str(classifier)])
    serving = asyncio.create_task(recv.recv(arguments, bluetooth))
    printed = ""
    try:
        while until not in printed:
            await asyncio.sleep(0.05)
            assert not serving.done(), f"recv ended: {serving}"
            printed += capsys.readouterr().err
        return printed
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
