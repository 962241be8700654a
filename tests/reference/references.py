"""A reference codec small enough to test: TensorFlow's random encoder, a narrow decoder, tables fitted to drawings."""

from __future__ import annotations

import functools

import numpy as np

from host.reference.fit import fit_model
from host.reference.model import Decoder
from host.reference.model_file import ReferenceModel
from host.reference.published import import_decoder, import_encoder
from tests.codec.conftest import drawing
from tests.reference.savedmodels import SAVED, WIDTH, tensorflow_picture


@functools.cache
def narrow_model() -> ReferenceModel:
    """With the decoder that TensorFlow wrote, 8 filters wide: a file holds one of 64."""
    encoder, decoder = import_encoder(SAVED / "encoder"), import_decoder(SAVED / "decoder", WIDTH)
    return fit_model(encoder, decoder, fitted_pictures())


def fitted_pictures() -> list[np.ndarray]:
    """What its tables are fitted to."""
    return [drawing(seed) for seed in range(4)] + [tensorflow_picture(64 * n) for n in range(4)]


@functools.cache
def full_model() -> ReferenceModel:
    """The same with a random decoder of the published size."""
    narrow = narrow_model()
    return ReferenceModel(narrow.encoder, Decoder().eval(), narrow.tables, narrow.scale)
