"""The classifiers that are part of an edge server: their weights ship with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ..errors import Reason
from .errors import ClassifierError
from .views import LARGER_MIRRORED, ONE_VIEW, View

#: The network that ``host.train --recipe classifier`` adapted to decoded prefixes.
DEFAULT_CLASSIFIER = "efficientnet-lite0-pnc"
#: A larger network, adapted alike; and both together.
LARGER_CLASSIFIER = "efficientnet-lite2-pnc"
BEST = "best"
#: What commands say about their option --classifier.
CLASSIFIERS = "one that ships (%(default)s; best: right more often, 1.7 times as long), or an ONNX file"
#: The networks of each built-in classifier, and the views in which they see a picture.
NETWORKS: Mapping[str, Mapping[str, Sequence[View]]] = {
    DEFAULT_CLASSIFIER: {DEFAULT_CLASSIFIER: ONE_VIEW},
    BEST: {DEFAULT_CLASSIFIER: ONE_VIEW, LARGER_CLASSIFIER: LARGER_MIRRORED},
}
NAMES = tuple(NETWORKS)
#: Networks as published. The research commands build them; an edge server takes the files that these write.
PUBLISHED = ("efficientnet-lite0", "efficientnet-lite1", "efficientnet-lite2")

_SHIPPED = Path(__file__).with_name("weights")


def model_file(network: str) -> Path:
    """Return the file of a network that ships."""
    return _SHIPPED / f"{network}.onnx"


def model_bytes(network: str) -> bytes:
    """Return the ONNX model of a network that ships. Raises ClassifierError if the installation lacks it."""
    file = model_file(network)
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
