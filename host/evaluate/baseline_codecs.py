"""Rivals as subjects of the measurement.

A progressive rival has one stream a picture, cut at the budget. One with a ladder sends, of the files that fit the
budget, that of the highest quality; where not even the lowest fits, nothing, and the picture counts as wrong.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path

from .baselines.baseline import Rival
from .subject import EVERYTHING, Picture, Question, Stream, View, fingerprint


class _RivalSubject:
    kind = ""

    def __init__(self, rival: Rival) -> None:
        self._rival = rival

    @property
    def name(self) -> str:
        return self._rival.name

    def identity(self) -> dict[str, object]:
        modules = {inspect.getfile(kind) for kind in type(self._rival).__mro__ if kind is not object}
        return {
            "codec": self.name,
            "ladder": list(self._rival.ladder),
            "settings": self._rival.settings(),
            "code": fingerprint([Path(module) for module in modules] + [Path(__file__)]),
        }

    def decode(self, contents: Sequence[bytes]) -> list[Picture]:
        return [self._rival.decode(content) for content in contents]


class CutRival(_RivalSubject):
    """A progressive rival."""

    kind = "cut"

    def questions(self, budgets_bytes: Sequence[int]) -> list[Question]:
        return [*(Question(View.BUDGET, budget) for budget in sorted(set(budgets_bytes))), EVERYTHING]

    def streams(self, picture: Picture, questions: Sequence[Question]) -> list[Stream | None]:
        whole = self._rival.encode(picture, self._rival.ladder[-1])
        cuts = [whole[: question.value] for question in questions]
        return [Stream(len(data), len(data), data) for data in cuts]


class LadderRival(_RivalSubject):
    """A rival with a file for each quality."""

    kind = "ladder"

    def questions(self, budgets_bytes: Sequence[int]) -> list[Question]:
        budgets = sorted(set(budgets_bytes))
        payloads = [Question(View.PAYLOAD, budget) for budget in budgets] if self._has_container() else []
        return [
            *(Question(View.BUDGET, budget) for budget in budgets),
            EVERYTHING,
            *payloads,
            *(Question(View.QUALITY, quality) for quality in self._rival.curve),
        ]

    def streams(self, picture: Picture, questions: Sequence[Question]) -> list[Stream | None]:
        files = {quality: self._stream(picture, quality) for quality in self._needed(questions)}
        return [self._answer(files, question) for question in questions]

    def _needed(self, questions: Sequence[Question]) -> list[int]:
        """The qualities without which the questions cannot be answered."""
        if any(question.view is not View.QUALITY for question in questions):
            return list(self._rival.ladder)
        return sorted({question.value for question in questions if question.value is not None})

    def _stream(self, picture: Picture, quality: int) -> Stream:
        data = self._rival.encode(picture, quality)
        return Stream(len(data), len(data) - self._rival.overhead_bytes(data), data)

    def _answer(self, files: dict[int, Stream], question: Question) -> Stream | None:
        if question.value is None:
            return files[self._rival.ladder[-1]]
        if question.view is View.QUALITY:
            return files[question.value]
        for quality in reversed(self._rival.ladder):
            stream = files[quality]
            counted = stream.payload_bytes if question.view is View.PAYLOAD else stream.size_bytes
            if counted <= question.value:
                return stream
        return None

    def _has_container(self) -> bool:
        grey = self._rival.decode(b"")
        return self._rival.overhead_bytes(self._rival.encode(grey, self._rival.ladder[0])) > 0


def subject_of(rival: Rival) -> CutRival | LadderRival:
    """The way in which that rival is measured."""
    return CutRival(rival) if rival.progressive else LadderRival(rival)
