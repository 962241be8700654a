"""PNC as published: k of its ten channels, static Huffman codes, its own decoder (torch, the extra ``train``)."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from .. import reference
from .baselines import Baseline, grey
from .codec_under_test import Picture, fingerprint
from .errors import EvaluationError

NAME = "pnc-reference"
_CHANNELS = 10
_LENGTH_BYTES = 2


class PncReference(Baseline):
    """A ladder of 1 to 10 channels, the most important first.

    A channel is used only when it is whole, so 2 bytes before each give its length. (The published link spends one
    byte in 64 on that.)
    """

    name = NAME
    ladder = curve = tuple(range(1, _CHANNELS + 1))

    def __init__(self, weights: Path | None) -> None:
        """Load ``weights``, a file that ``python -m host.reference import`` wrote.

        Raises EvaluationError when it is None or torch is missing, CodecError when it cannot be read.
        """
        if weights is None:
            raise EvaluationError(f"{NAME} ships no weights: name yours with --weights FILE")
        try:
            from ..reference.codec import ReferenceCodec
        except ImportError:
            raise EvaluationError(f"{NAME}: torch is not installed: pip install 'pnc-link[train]'") from None
        self._codec = ReferenceCodec.load(weights)
        self._weights = fingerprint([weights])

    def encode(self, picture: Picture, quality: int) -> bytes:
        """Return the first ``quality`` channels, each after its length."""
        channels = self._codec.encode(picture)[:quality]
        return b"".join(len(data).to_bytes(_LENGTH_BYTES, "big") + data for data in channels)

    def decode(self, data: bytes) -> Picture:
        """Decode the channels that are whole; a grey picture without one."""
        channels: list[bytes | None] = []
        at = 0
        while at + _LENGTH_BYTES <= len(data) and len(channels) < _CHANNELS:
            start = at + _LENGTH_BYTES
            at = start + int.from_bytes(data[at:start], "big")
            channels.append(data[start:at] if at <= len(data) else None)
        return self._codec.decode(channels) if any(channels) else grey()

    def settings(self) -> dict[str, object]:
        """Return digests of weights and code, and torch's version."""
        code = Path(reference.__file__).parent.glob("*.py")
        return {"weights": self._weights, "code": fingerprint(code), "torch": version("torch")}
