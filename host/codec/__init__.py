"""The picture codec: ``load()`` it, ``encode`` a picture to ranked packets, decode any of them.

Importing this needs neither torch nor onnxruntime: a camera has neither.
"""

from host.codec.codec import Codec, load
from host.codec.decoder import Decoded, Decoder
from host.codec.errors import CodecError, PictureError
from host.codec.picture import load_picture
from protocol.ranked import RankedPacket

__all__ = [
    "Codec",
    "CodecError",
    "Decoded",
    "Decoder",
    "PictureError",
    "RankedPacket",
    "load",
    "load_picture",
]
