"""Whatever a text contains, it is shown as one line, and a terminal obeys none of it."""

from __future__ import annotations

import json
import os
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from host.errors import PncError
from host.text import json_line, printable

#: Any string that Python can hold, with lone surrogates.
ANY = st.text(st.characters(codec=None) | st.characters(categories=["Cs"]) | st.sampled_from("\x1b\n\r\x07\x9b\u202e"))


@given(ANY)
def test_any_text_becomes_one_line_without_controls(text: str) -> None:
    shown = printable(text)
    assert len(shown.splitlines()) <= 1
    assert not [each for each in shown if unicodedata.category(each) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
    shown.encode()  # any stream in UTF-8 takes it
    assert printable(shown) == shown


@given(ANY)
def test_what_a_terminal_shows_as_it_is_stays(text: str) -> None:
    plain = "".join(each for each in text if each.isprintable())
    assert printable(plain) == plain


def test_what_is_escaped_can_be_read() -> None:
    assert printable("a\x1b]0;title\x07\n\tb") == "a\\x1b]0;title\\x07\\n\\tb"
    assert printable("photo\u202egpj.exe") == "photo\\u202egpj.exe"
    assert printable("Blumenkübel 花 🌼") == "Blumenkübel 花 🌼"


def test_bytes_of_a_file_name_that_are_not_utf_8_are_shown() -> None:
    assert printable(os.fsdecode(b"caf\xe9.jpg")) == "caf\\xe9.jpg"


@given(st.recursive(ANY | st.none() | st.integers(), lambda each: st.lists(each) | st.dictionaries(ANY, each)))
def test_json_is_one_printable_line_and_says_the_same(value: object) -> None:
    line = json_line(value)
    assert printable(line) == line
    assert line.isascii()
    assert json.loads(line) == value


@given(ANY)
def test_the_text_of_an_error_is_one_printable_line(text: str) -> None:
    assert str(PncError(text)) == printable(text)
    assert str(PncError.of(PncError(text))) == printable(text)
