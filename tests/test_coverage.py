"""The measurement of the C code's coverage sees what is missed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import coverage

CODE = """#include "code.h"
int either(int a, int b)
{
	if (a > 0 || b > 0) {
		return 1;
	}
	return 0;
}
"""
PROGRAM = """#include "code.h"
int main(void)
{
	return either(1, 0) - 1 + either(%s, 0);
}
"""


@pytest.fixture
def measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> coverage.Figures:
    """Figures of a function of two conditions that is called with a = 1 and then with `request.param`."""
    if coverage.missing_tools():
        pytest.skip(f"not installed: {', '.join(coverage.missing_tools())}")
    monkeypatch.setattr(coverage, "ROOT", tmp_path)
    code = tmp_path / "code"
    code.mkdir()
    (code / "code.h").write_text("int either(int a, int b);\n", encoding="utf-8")
    (code / "code.c").write_text(CODE, encoding="utf-8")
    (tmp_path / "main.c").write_text(PROGRAM % request.param, encoding="utf-8")
    part = coverage.Part("code", (code,), (code,), [code / "code.c"], [tmp_path / "main.c"])
    return coverage.measure(part, tmp_path / "build")[0]


@pytest.mark.parametrize("measured", ["0"], indirect=True)
def test_a_condition_that_never_decides_alone_is_named(measured: coverage.Figures) -> None:
    assert not measured.complete()
    assert measured.lines == (6, 6)
    assert measured.branches == (3, 4)
    assert measured.conditions == (1, 2)
    assert measured.missed == ["code/code.c:4:15: never true", "code/code.c:4:6: condition 2 never decides alone"]
    text = "\n".join(coverage.report({"code": [measured]}))
    assert "code/code.c" in text
    assert text.splitlines()[-1].split() == ["code", "100.0", "%", "6", "75.0", "%", "4", "50.0", "%", "2"]


def test_a_share_that_is_almost_whole_is_not_rounded_up() -> None:
    assert coverage.percent((9999, 10000)) == "99.9"
    assert coverage.percent((10, 10)) == "100.0"
    assert coverage.percent((0, 0)) == "-"
