"""The classifiers that are part of an edge server: their weights ship with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..errors import Reason
from .errors import ClassifierError
from .views import ONE_VIEW, TWO_VIEWS

#: The network that ``host.train --recipe classifier`` adapted to decoded prefixes.
DEFAULT_CLASSIFIER = "efficientnet-lite0-pnc"
#: The same network, which looks at each picture twice.
BEST = "best"
#: What commands say about their option --classifier.
CLASSIFIERS = "one that ships (%(default)s; best: right more often, 1.5 times as long), or an ONNX file"
#: What each built-in classifier looks at.
VIEWS = {DEFAULT_CLASSIFIER: ONE_VIEW, BEST: TWO_VIEWS}
NAMES = tuple(VIEWS)
#: Networks as published. The research commands build them; an edge server takes the files that these write.
PUBLISHED = ("efficientnet-lite0", "efficientnet-lite1", "efficientnet-lite2")

_SHIPPED = Path(__file__).with_name("weights")


def model_file(name: str) -> Path:
    """Return the file of a name in ``NAMES``."""
    return _SHIPPED / f"{DEFAULT_CLASSIFIER if name == BEST else name}.onnx"


def model_bytes(name: str) -> bytes:
    """Return the ONNX model of a name in ``NAMES``. Raises ClassifierError if the installation lacks it."""
    file = model_file(name)
    try:
        return file.read_bytes()
    except OSError as error:
        raise ClassifierError(
            f"{file}: the weights are missing ({error.strerror})", reason=Reason.INCOMPLETE
        ) from error


def unknown(name: str, names: Sequence[str] = NAMES) -> ClassifierError:
    """Return the error for something that is neither a file nor one of ``names``."""
    if name in PUBLISHED:
        return ClassifierError(f"{name} is not part of an edge server", reason=Reason.NOT_SHIPPED, subject=name)
    return ClassifierError(
        f"{name} is neither a file nor a classifier's name ({', '.join(names)})", reason=Reason.BAD_FILE
    )
