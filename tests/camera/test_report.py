"""The report on a picture: what it says comes from files and from another computer."""

from __future__ import annotations

from dataclasses import replace

from host.camera.report import report_without_answer

EVIL = "\x1b[2J\nsend: all is well\udcff"
SHOWN = "\\x1b[2J\\nsend: all is well\\xff"


def test_its_lines_are_printable_whatever_names_and_answers_contain() -> None:
    report = report_without_answer(f"file{EVIL}", "failed", f"detail{EVIL}", 300)
    answered = replace(report, answer_ms=100.0, top=((1, f"label{EVIL}", 0.5),), picture=f"picture{EVIL}")
    lines = [*report.lines(), report.summary(), *answered.lines(), answered.summary()]
    assert all(line.isprintable() for line in lines)
    for each in ("file", "detail", "label", "picture"):
        assert any(each + SHOWN in line for line in lines)
    assert report.summary() == f"file{SHOWN}: failed: detail{SHOWN}"


def test_why_a_picture_was_not_saved_is_a_notice_that_names_the_file() -> None:
    report = report_without_answer("a.jpg", "ok", "", 300).of_file("a.jpg", ["a.jpg: one notice"])
    assert report.saved_as("out/a.png").notices == ("a.jpg: one notice",)
    saved = report.saved_as(None, "not saved: out: No space left on device")
    assert saved.notices == ("a.jpg: one notice", "a.jpg: not saved: out: No space left on device")


def test_the_line_of_a_refused_picture_says_why_and_what_had_arrived() -> None:
    refused = replace(
        report_without_answer("a.jpg", "failed", "the server was busy", 300),
        bytes_delivered=4012,
        bytes_encoded=4956,
        answer_ms=203.2,
    )
    assert refused.summary() == "a.jpg: failed: the server was busy, 4,012 of 4,956 bytes, 203 ms"
    assert replace(refused, status="ok", detail="").summary() == "a.jpg: ok, 4,012 of 4,956 bytes, 203 ms"
    late = replace(refused, status="late", detail="", top=((5, "cat", 0.5),))
    assert late.summary() == "a.jpg: cat 50%, 4,012 of 4,956 bytes, 203 ms (late)"
