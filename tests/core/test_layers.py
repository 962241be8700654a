"""Calls between C files go down only: no file uses a function or variable of its own layer or of a higher one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.core.core_build import CORE

SRC = CORE.parent / "src"
CORE_LAYERS = (
    "cobs control completion crc event_loss goodput phy_choice queue sent_frames tx_window",
    "frame",
    "board_state",
    "board_air board_host board_report",
    "board",
)
#: Where there is no Bluetooth, radio_none.c takes the place of all other radio files and of security.c.
FIRMWARE_LAYERS = (
    "faults retain serial_tx",
    "serial serial_async",
    "crash",
    "supervision",
    "board_thread store",
    "radio_key radio_links radio_none",
    "radio_parameters radio_rx_watch security",
    "radio_central radio_peripheral",
    "radio_sender",
    "radio",
    "main",
)
_COMMENT_OR_TEXT = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.DOTALL)
#: At the start of a line, without `static`: a function's head, or a variable.
_GLOBAL = re.compile(r"^(?!static\b|extern\b|typedef\b)(?:\w+[ *]+)+(\w+)(?:\(|\[\w*\];|;| =)", re.MULTILINE)
_STATIC = re.compile(r"^static (?:\w+[ *]+)+(\w+)\(", re.MULTILINE)


def violations(texts: Mapping[str, str], layers: Sequence[str]) -> list[str]:
    """Every use of a name that another file of the same or a higher layer defines."""
    height = {name: number for number, names in enumerate(layers) for name in names.split()}
    code = {name: _COMMENT_OR_TEXT.sub("", text) for name, text in texts.items()}
    assert code.keys() == height.keys(), "every file has one layer"
    found = []
    for user, text in code.items():
        words = set(re.findall(r"\w+", text))
        own = {*_GLOBAL.findall(text), *_STATIC.findall(text)}
        for owner, owned in code.items():
            if owner != user and height[owner] >= height[user]:
                used = words & set(_GLOBAL.findall(owned)) - own
                found += [f"{user}.c uses {name} of {owner}.c" for name in sorted(used)]
    return found


def _texts(folder: Path) -> dict[str, str]:
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.c"))}


@pytest.mark.parametrize(("folder", "layers"), [(CORE / "src", CORE_LAYERS), (SRC, FIRMWARE_LAYERS)])
def test_calls_go_down(folder: Path, layers: Sequence[str]) -> None:
    assert violations(_texts(folder), layers) == []


def test_a_call_upwards_or_sideways_is_found() -> None:
    texts = {
        "low": "int low_value;\nint low(void)\n{\n\treturn high();\n}\n",
        "side": "static int high(void)\n{\n\treturn 1;\n}\n\nint side(void)\n{\n\treturn low() + high();\n}\n",
        "high": "/* side */\nint high(void)\n{\n\treturn side() + low_value;\n}\n",
    }
    assert violations(texts, ["low side", "high"]) == ["low.c uses high of high.c", "side.c uses low of low.c"]
    assert violations({name: texts[name] for name in ("side", "high")}, ["side", "high"]) == []
