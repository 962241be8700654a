"""Pictures across weak radio links, in order of importance and before a deadline.

The names in ``__all__`` are the public interface, documented in docs/api.md. Everything else is private to the package
and may change. Nothing is imported before it is used: a camera imports neither onnxruntime nor torch.
"""

from __future__ import annotations

from importlib import import_module as _import_module
from typing import TYPE_CHECKING

from .version import __version__

if TYPE_CHECKING:
    from .board.ble_edge import BleEdgeTransport
    from .camera.camera import Camera, CameraError, Submitted
    from .camera.errors import SourceError
    from .camera.live_camera import LiveCamera
    from .camera.report import TransferReport
    from .camera.source import SourcePicture
    from .codec.codec import Codec
    from .codec.codec import load as load_codec
    from .codec.decoder import Decoded, Decoder
    from .codec.encoder import PictureEncoder
    from .codec.errors import CodecError, PictureError
    from .codec.picture import load_picture
    from .edge.answered import AnsweredPicture
    from .edge.archive import Archive
    from .edge.classifier import Classifier
    from .edge.classifier import load as load_classifier
    from .edge.errors import ClassifierError, ServerError
    from .edge.recogniser import PictureClassifier
    from .edge.server import EdgeServer
    from .edge.sureness import Sureness, load_sureness
    from .errors import PncError, Reason
    from .link.events import (
        Answer,
        Event,
        Failed,
        FailureReason,
        ImageCollected,
        Implausible,
        KeyFault,
        KeyMismatch,
        LinkChanged,
        Notice,
        Opened,
        Ready,
        Unanswered,
    )
    from .link.sender import DeadlineInfeasibleError
    from .ranked import RankedPacket
    from .seal.key import Key, KeyFileError, make_key, read_key
    from .sim.virtual_boards import virtual_boards
    from .text import printable
    from .transport.driver import now_us
    from .transport.serial_port import SerialTransport
    from .transport.transport import Transport, TransportError
    from .wire import LinkState, Phy, ResultStatus

#: Every public name, and where it is defined: a module of this package and the name in it.
_PUBLIC = {
    "Camera": ("camera.camera", "Camera"),
    "Submitted": ("camera.camera", "Submitted"),
    "TransferReport": ("camera.report", "TransferReport"),
    "LiveCamera": ("camera.live_camera", "LiveCamera"),
    "SourcePicture": ("camera.source", "SourcePicture"),
    "EdgeServer": ("edge.server", "EdgeServer"),
    "AnsweredPicture": ("edge.answered", "AnsweredPicture"),
    "Archive": ("edge.archive", "Archive"),
    "Classifier": ("edge.classifier", "Classifier"),
    "load_classifier": ("edge.classifier", "load"),
    "PictureClassifier": ("edge.recogniser", "PictureClassifier"),
    "Sureness": ("edge.sureness", "Sureness"),
    "load_sureness": ("edge.sureness", "load_sureness"),
    "Codec": ("codec.codec", "Codec"),
    "load_codec": ("codec.codec", "load"),
    "load_picture": ("codec.picture", "load_picture"),
    "PictureEncoder": ("codec.encoder", "PictureEncoder"),
    "Decoder": ("codec.decoder", "Decoder"),
    "Decoded": ("codec.decoder", "Decoded"),
    "RankedPacket": ("ranked", "RankedPacket"),
    "Transport": ("transport.transport", "Transport"),
    "SerialTransport": ("transport.serial_port", "SerialTransport"),
    "BleEdgeTransport": ("board.ble_edge", "BleEdgeTransport"),
    "virtual_boards": ("sim.virtual_boards", "virtual_boards"),
    "now_us": ("transport.driver", "now_us"),
    "Event": ("link.events", "Event"),
    "Opened": ("link.events", "Opened"),
    "LinkChanged": ("link.events", "LinkChanged"),
    "Ready": ("link.events", "Ready"),
    "Answer": ("link.events", "Answer"),
    "Unanswered": ("link.events", "Unanswered"),
    "ImageCollected": ("link.events", "ImageCollected"),
    "Implausible": ("link.events", "Implausible"),
    "KeyMismatch": ("link.events", "KeyMismatch"),
    "KeyFault": ("link.events", "KeyFault"),
    "Notice": ("link.events", "Notice"),
    "Failed": ("link.events", "Failed"),
    "FailureReason": ("link.events", "FailureReason"),
    "LinkState": ("wire", "LinkState"),
    "Phy": ("wire", "Phy"),
    "ResultStatus": ("wire", "ResultStatus"),
    "Key": ("seal.key", "Key"),
    "read_key": ("seal.key", "read_key"),
    "make_key": ("seal.key", "make_key"),
    "PncError": ("errors", "PncError"),
    "Reason": ("errors", "Reason"),
    "CameraError": ("camera.camera", "CameraError"),
    "SourceError": ("camera.errors", "SourceError"),
    "ServerError": ("edge.errors", "ServerError"),
    "ClassifierError": ("edge.errors", "ClassifierError"),
    "CodecError": ("codec.errors", "CodecError"),
    "PictureError": ("codec.errors", "PictureError"),
    "DeadlineInfeasibleError": ("link.sender", "DeadlineInfeasibleError"),
    "TransportError": ("transport.transport", "TransportError"),
    "KeyFileError": ("seal.key", "KeyFileError"),
    "printable": ("text", "printable"),
}

__all__ = [
    "Answer",
    "AnsweredPicture",
    "Archive",
    "BleEdgeTransport",
    "Camera",
    "CameraError",
    "Classifier",
    "ClassifierError",
    "Codec",
    "CodecError",
    "DeadlineInfeasibleError",
    "Decoded",
    "Decoder",
    "EdgeServer",
    "Event",
    "Failed",
    "FailureReason",
    "ImageCollected",
    "Implausible",
    "Key",
    "KeyFault",
    "KeyFileError",
    "KeyMismatch",
    "LinkChanged",
    "LinkState",
    "LiveCamera",
    "Notice",
    "Opened",
    "Phy",
    "PictureClassifier",
    "PictureEncoder",
    "PictureError",
    "PncError",
    "RankedPacket",
    "Ready",
    "Reason",
    "ResultStatus",
    "SerialTransport",
    "ServerError",
    "SourceError",
    "SourcePicture",
    "Submitted",
    "Sureness",
    "TransferReport",
    "Transport",
    "TransportError",
    "Unanswered",
    "__version__",
    "load_classifier",
    "load_codec",
    "load_picture",
    "load_sureness",
    "make_key",
    "now_us",
    "printable",
    "read_key",
    "virtual_boards",
]


def __getattr__(name: str) -> object:
    """Import a public name when it is used for the first time (PEP 562)."""
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _PUBLIC[name]
    value = getattr(_import_module(f".{module}", __name__), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
