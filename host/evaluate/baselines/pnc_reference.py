"""PNC as published: k of its ten channels, static Huffman codes, its own decoder (torch, the extra ``train``)."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from ... import reference
from ..errors import EvaluationError
from ..subject import Picture, fingerprint
from .pillow import grey

NAME = "pnc-reference"
_CHANNELS = 10
_LENGTH_BYTES = 2


class PncReference:
    """A ladder of 1 to 10 channels, the most important first. A channel counts only when it is whole, so before each
    stand 2 bytes with its length (the published link marks each 63 bytes with one more)."""

    name = NAME
    progressive = False
    ladder = curve = tuple(range(1, _CHANNELS + 1))

    def __init__(self, weights: Path | None) -> None:
        """``weights``: a file that ``python -m host.reference import`` wrote. Raises EvaluationError and CodecError."""
        if weights is None:
            raise EvaluationError(f"{NAME} ships no weights: name yours with --weights FILE")
        try:
            from ...reference.codec import ReferenceCodec
        except ImportError:
            raise EvaluationError(f"{NAME}: torch is not installed: pip install 'pnc-link[train]'") from None
        self._codec = ReferenceCodec.load(weights)
        self._weights = fingerprint([weights])

    def encode(self, picture: Picture, quality: int) -> bytes:
        """The first ``quality`` channels."""
        channels = self._codec.encode(picture)[:quality]
        return b"".join(len(data).to_bytes(_LENGTH_BYTES, "big") + data for data in channels)

    def decode(self, data: bytes) -> Picture:
        channels: list[bytes | None] = []
        at = 0
        while at + _LENGTH_BYTES <= len(data) and len(channels) < _CHANNELS:
            start = at + _LENGTH_BYTES
            at = start + int.from_bytes(data[at:start], "big")
            channels.append(data[start:at] if at <= len(data) else None)
        return self._codec.decode(channels) if any(channels) else grey()

    def overhead_bytes(self, data: bytes) -> int:  # noqa: ARG002
        return 0

    def settings(self) -> dict[str, object]:
        code = Path(reference.__file__).parent.glob("*.py")
        return {"weights": self._weights, "code": fingerprint(code), "torch": version("torch")}
