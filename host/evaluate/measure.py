"""Asks each subject about each picture, decodes and classifies what it sends, and counts."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..codec import PictureError, load_picture
from ..edge.classifier import Classifier
from .accuracy import Tally, place_of
from .answers import NOTHING_SENT, Answer, Answers, key_of, open_answers
from .errors import EvaluationError
from .labelled import LabelledPicture
from .own import Originals
from .subject import EVERYTHING, Picture, Question, Stream, Subject

# Pictures that are in memory at a time, and decoded pictures that are classified at a time.
_BATCH = 32


@dataclass(slots=True)
class Measured:
    """Counts of one subject by question, in the order in which it was asked."""

    subject: Subject
    tallies: dict[Question, Tally]
    answers: Answers


@dataclass(slots=True)
class Result:
    """``original``: the pictures themselves; ``skipped``: those that could not be read."""

    classifier: str
    original: Tally
    measured: list[Measured]
    skipped: int = 0


@dataclass(slots=True)
class Measurement:
    """Subjects with their questions, and the classifier that judges.

    ``classifier_identity`` says all that its answers depend on; ``cache``: the folder of answers to keep, if any.
    """

    subjects: Mapping[Subject, Sequence[Question]]
    classifier: Classifier
    classifier_identity: Mapping[str, object] = field(default_factory=dict)
    cache: Path | None = None

    def run(
        self,
        labelled: Sequence[LabelledPicture],
        *,
        notice: Callable[[str], None],
        progress: Callable[[int], object],
    ) -> Result:
        """The counts.

        A picture that is missing or broken is passed to ``notice`` in one line and left out; ``progress``
        gets the number of pictures dealt with since its last call. Raises ``EvaluationError`` when no picture is left.
        """
        originals = self._measured(Originals(), [EVERYTHING])
        measured = [self._measured(subject, questions) for subject, questions in self.subjects.items()]
        result = Result(self.classifier.name, originals.tallies[EVERYTHING], measured)
        for start in range(0, len(labelled), _BATCH):
            batch = labelled[start : start + _BATCH]
            pictures: list[tuple[Picture, int]] = []
            for item in batch:
                try:
                    pictures.append((load_picture(item.path), item.class_index))
                except PictureError as error:
                    result.skipped += 1
                    notice(f"left out: {error}")
            for one in (originals, *measured):
                self._count(one, pictures)
            progress(len(batch))
        if not result.original.pictures:
            raise EvaluationError(f"none of the {len(labelled)} pictures could be read")
        return result

    def _measured(self, subject: Subject, questions: Sequence[Question]) -> Measured:
        identity = dict(subject.identity()) | {"classifier": dict(self.classifier_identity)}
        return Measured(subject, {question: Tally() for question in questions}, open_answers(self.cache, identity))

    def _count(self, measured: Measured, pictures: Sequence[tuple[Picture, int]]) -> None:
        keys = [key_of(picture, right) for picture, right in pictures]
        self._answer_open(measured, pictures, keys)
        measured.answers.save()
        for key in keys:
            answers = measured.answers.of(key)
            for question, tally in measured.tallies.items():
                answer = answers[str(question)]
                tally.add(answer.place, answer.size_bytes, answer.payload_bytes)

    def _answer_open(self, measured: Measured, pictures: Sequence[tuple[Picture, int]], keys: Sequence[str]) -> None:
        """Encode, decode and classify for the questions that have no answer yet."""
        asked: dict[tuple[int, Hashable], list[tuple[Question, Stream]]] = {}
        for index, (picture, _) in enumerate(pictures):
            known = measured.answers.of(keys[index])
            missing = [question for question in measured.tallies if str(question) not in known]
            if not missing:
                continue
            for question, stream in zip(missing, measured.subject.streams(picture, missing), strict=True):
                if stream is None:
                    measured.answers.add(keys[index], str(question), NOTHING_SENT)
                else:  # questions that leave the same of a picture share one decoding
                    asked.setdefault((index, stream.content), []).append((question, stream))
        wanted = list(asked)
        for start in range(0, len(wanted), _BATCH):
            chunk = wanted[start : start + _BATCH]
            decoded = measured.subject.decode([content for _, content in chunk])
            rows = self.classifier.probabilities(np.stack(decoded))
            for (index, content), row in zip(chunk, rows, strict=True):
                place = place_of(pictures[index][1], row)
                for question, stream in asked[index, content]:
                    answer = Answer(stream.size_bytes, stream.payload_bytes, place)
                    measured.answers.add(keys[index], str(question), answer)
