"""A classifier's file is opened whatever its name is."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra edge)")

from host.edge.classifier import ClassifierError, load
from tests.edge.tiny_models import colour_classifier

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")


def not_utf8(folder: Path) -> Path:
    """Return a path whose name is Latin-1."""
    return Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.onnx"))


def test_a_name_that_is_not_utf8_is_opened(tmp_path: Path) -> None:
    path = colour_classifier(tmp_path / "colours.onnx").rename(not_utf8(tmp_path))
    red = np.full((224, 224, 3), (210, 40, 40), np.uint8)
    assert load(str(path)).top(red)[0][0] == 0


def test_what_is_no_network_is_refused_in_words_about_the_network(tmp_path: Path) -> None:
    not_utf8(tmp_path).write_bytes(b"no network")
    with pytest.raises(ClassifierError) as error:
        load(str(not_utf8(tmp_path)))
    assert str(error.value).startswith("caf\\xe9.onnx")
    assert "constructor" not in str(error.value)
