"""The notebook of docs/examples, run from its first to its last cell, and stored without what it prints."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
pytest.importorskip("ipykernel", reason="ipykernel is not installed")
pytest.importorskip("matplotlib", reason="matplotlib is not installed (extra plot)")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra edge)")

from tests import pace  # noqa: E402

NOTEBOOK = Path(__file__).parents[2] / "docs" / "examples" / "simulation.ipynb"


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What the cells of code put out."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    folder = str(tmp_path_factory.mktemp("notebook"))
    nbclient.NotebookClient(
        notebook, timeout=round(pace.seconds(120)), kernel_name="python3", resources={"metadata": {"path": folder}}
    ).execute()
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def test_it_is_stored_without_outputs() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert [cell.outputs for cell in notebook.cells if cell.cell_type == "code" and cell.outputs] == []


def test_it_shows_what_its_text_says(outputs: list[dict[str, Any]]) -> None:
    text = "".join(output.get("text", "") for output in outputs if output["output_type"] == "stream")
    ours = re.search(r"ours +([0-9]+) of 60 pictures", text)
    fifo = re.search(r"fifo +([0-9]+) of 60 pictures", text)
    assert ours is not None
    assert fifo is not None
    assert int(ours[1]) > int(fifo[1])
    least = re.search(r"at 60 kbit/s ([0-9,]+) bytes", text)
    assert least is not None
    assert 500 < int(least[1].replace(",", "")) < 3000
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 3
