"""How sure an answer is: the calibrated probability that its first class is that of the untouched picture.

The probability that a network gives its first class says little about that: it is too low for a good prefix and too
high for a blurred one. ``python -m host.evaluate.sure fit`` compares the answers for prefixes of photos with those for
the photos themselves and fits a logistic curve (Platt 1999) whose two numbers depend on the number of bytes. They are
in a file beside the classifier's weights: ``weights/NAME.sure.json``, or ``FILE.sure.json`` for ``FILE.onnx``.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

from ..errors import Reason
from ..files import open_to_read
from .errors import ClassifierError

_SHIPPED = Path(__file__).with_name("weights")
_SUFFIX = ".sure.json"
#: Probabilities are kept this far from 0 and 1 before their logit is taken.
_EDGE = 1e-4
#: The curve must rise with the probability at these numbers of bytes, and so between them.
_BYTES = (100, 10_000)


def logit(probability: float) -> float:
    """Return log(p / (1 - p)), with p between ``_EDGE`` and ``1 - _EDGE``."""
    clipped = min(max(probability, _EDGE), 1 - _EDGE)
    return math.log(clipped / (1 - clipped))


def log_size(size_bytes: float) -> float:
    """Return the logarithm of a number of codec bytes in thousands, between 100 and 10,000 bytes."""
    least, most = _BYTES
    return math.log(min(max(size_bytes, least), most) / 1000)


@dataclass(frozen=True, slots=True)
class Sureness:
    """Says how sure an answer is: sigmoid(offset + slope * logit(probability of the first class)).

    ``offset`` and ``slope`` are the constant and the coefficient of the logarithm of the kilobytes.
    ``load_sureness`` reads those of a classifier.
    """

    offset: tuple[float, float]
    slope: tuple[float, float]

    def __post_init__(self) -> None:
        """Raise ValueError unless these are finite numbers with which the curve rises."""
        numbers = (*self.offset, *self.slope)
        if len(self.offset) != 2 or len(self.slope) != 2 or not all(map(math.isfinite, numbers)):
            raise ValueError("offset and slope are two numbers each")
        if min(_at(self.slope, size) for size in _BYTES) <= 0:
            raise ValueError("a likelier class would make less sure")

    def __call__(self, probability: float, size_bytes: int) -> float:
        """Return how sure an answer is, 0..1, whose first class has this probability after so many codec bytes."""
        return 1 / (1 + math.exp(-_at(self.offset, size_bytes) - _at(self.slope, size_bytes) * logit(probability)))

    def as_json(self) -> str:
        """Return the text of the file, with four decimals."""
        rounded = {key: [round(value, 4) for value in values] for key, values in asdict(self).items()}
        return json.dumps(rounded) + "\n"


def load_sureness(name_or_file: str) -> Sureness:
    """Load the curve of a classifier, given as to ``load_classifier``.

    Raises ClassifierError if it has none, or if the file cannot be used.
    """
    path = Path(name_or_file)
    file = path.with_suffix(_SUFFIX) if path.suffix == ".onnx" else _SHIPPED / f"{name_or_file}{_SUFFIX}"
    return read_sureness(name_or_file, file)


def read_sureness(classifier: str, file: Path) -> Sureness:
    """Read a curve. ``classifier``: its classifier's name, for errors. Raises ClassifierError as ``load_sureness``."""
    try:
        stored = json.loads(_read(file))
        offset, slope = ([float(value) for value in stored[key]] for key in ("offset", "slope"))
        return Sureness((offset[0], offset[1]), (slope[0], slope[1]))
    except FileNotFoundError:
        raise ClassifierError(
            f"{classifier} is not calibrated: there is no {file}", reason=Reason.NOT_CALIBRATED
        ) from None
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise ClassifierError(f"{file}: not a calibration ({error})", reason=Reason.BAD_FILE) from error


def _read(file: Path) -> bytes:
    with open_to_read(file) as opened:
        return opened.read()


def _at(numbers: tuple[float, float], size_bytes: float) -> float:
    constant, coefficient = numbers
    return constant + coefficient * log_size(size_bytes)
