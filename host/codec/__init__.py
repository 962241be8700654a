"""The picture codec: ``load()`` it, ``encode`` a picture to ranked packets, decode any prefix of them.

Importing it needs neither torch nor onnxruntime, which a camera does not have.
"""

from ..ranked import RankedPacket
from .bitstream import cut
from .codec import Codec, load
from .decoder import Decoded, Decoder
from .encoder import PictureEncoder
from .errors import CodecError, PictureError
from .layout import SIDE
from .picture import load_picture

__all__ = [
    "SIDE",
    "Codec",
    "CodecError",
    "Decoded",
    "Decoder",
    "PictureEncoder",
    "PictureError",
    "RankedPacket",
    "cut",
    "load",
    "load_picture",
]
