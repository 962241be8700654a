"""The drawing of docs/how-it-works.md shows what codec and classifier say today."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.docs.conftest import ROOT

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra edge)")

DRAWING = ROOT / "docs" / "how-it-works.svg"
PROBABILITY = r"([0-9]+)%"


def words(path: Path) -> list[str]:
    """Return the lines of text in a drawing."""
    return [element.text or "" for element in ET.parse(path).iter() if element.tag.endswith(("}text", "}desc"))]


def test_it_is_what_the_program_draws(tmp_path: Path) -> None:
    """Probabilities may differ by one in a hundred between processors."""
    program = ROOT / "docs" / "make_how_it_works.py"
    done = subprocess.run(
        [sys.executable, str(program), str(tmp_path / "new.svg")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for old, new in zip(words(DRAWING), words(tmp_path / "new.svg"), strict=True):
        assert re.sub(PROBABILITY, "%", old) == re.sub(PROBABILITY, "%", new)
        shown, found = ([int(number) for number in re.findall(PROBABILITY, text)] for text in (old, new))
        assert all(abs(a - b) <= 1 for a, b in zip(shown, found, strict=True))


def test_it_can_be_read_without_seeing_it_and_loads_nothing() -> None:
    text = DRAWING.read_text(encoding="utf-8")
    assert 'role="img"' in text
    [title, *_] = [element for element in ET.parse(DRAWING).getroot() if element.tag.endswith("title")]
    assert title.text == "How PNC Link works"
    references = re.findall(r'href="([^"]{,40})', text)
    assert references
    assert all(reference.startswith("data:image/webp;base64,") for reference in references)
    page = (ROOT / "docs" / "how-it-works.md").read_text(encoding="utf-8").replace("\n", " ")
    [shown] = re.findall(r"says espresso with (.*?) %", page)
    assert re.findall("[0-9]+", shown) == re.findall(r"espresso ([0-9]+)%", text.split("</desc>")[1])
