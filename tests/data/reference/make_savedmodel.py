"""Writes the TensorFlow files that the tests read: SavedModels, TensorFlow's answers, and a uint8 TFLite encoder.

    pip install tensorflow-cpu tf-keras      # in an environment of its own; written with 2.21.0
    python tests/data/reference/make_savedmodel.py

PNC's layers with random weights: the encoder at its full size, the decoder with 8 filters instead of 64 (51 kB instead
of 1.4 MB). Keras has named a model's variables in two ways: ``variables/0`` as in the published checkpoints, and
``layer_with_weights-0/kernel`` as this version does; the encoder is written in the first way, the decoder in the
second. Of a SavedModel only the variables are kept; they are all that the importer reads.

The pictures are made by integer arithmetic, here and in the tests alike, so that only answers have to be kept.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import numpy as np
import tensorflow as tf
import tf_keras as keras

HERE = Path(__file__).parent
TFLITE = HERE.parents[2] / "host" / "bench" / "data" / "pnc-encoder-uint8.tflite"
SEED = 20231205
WIDTH = 8
#: Rows and columns of an answer that are kept: the borders, where padding shows, and some of the middle.
LATENT_LINES = [0, 1, 2, 9, 16, 21, 29, 30, 31]
PIXEL_LINES = [*range(11), 63, 64, 70, 105, 111, 112, 118, 160, 167, *range(213, 224)]

conv = keras.layers.Conv2D


def picture(shift: int) -> np.ndarray:
    """uint8 [1, 224, 224, 3]."""
    y, x, c = np.ogrid[:224, :224, :3]
    return ((37 * y + 91 * x + 53 * c + x * y // 16 + shift) % 256).astype(np.uint8)[np.newaxis]


def latent() -> np.ndarray:
    """float32 [1, 32, 32, 10] in steps of 1/64, from 0 to 1."""
    y, x, c = np.ogrid[:32, :32, :10]
    return ((29 * y + 17 * x + 41 * c + x * y) % 65 / np.float32(64)).astype(np.float32)[np.newaxis]


def biased(model: keras.Model, spread: float) -> keras.Model:
    """Random biases, as those that Keras starts from are all zero and would hide an importer that drops them."""
    rng = np.random.default_rng(SEED)
    for layer in model.layers:
        if layer.weights:
            kernel, bias = layer.get_weights()
            layer.set_weights([kernel, rng.normal(0, spread, bias.shape).astype(np.float32)])
    return model


def encoder() -> keras.Model:
    def orthogonal(seed: int) -> keras.initializers.Initializer:
        return keras.initializers.Orthogonal(seed=seed)

    pixels = keras.Input((224, 224, 3))
    hidden = conv(16, 9, strides=7, padding="same", activation="relu", kernel_initializer=orthogonal(SEED))(pixels)
    out = conv(10, 3, padding="same", activation="relu", kernel_initializer=orthogonal(SEED + 1))(hidden)
    return biased(keras.Model(pixels, out), 0.05)


def decoder() -> keras.Model:
    def random(seed: int) -> keras.initializers.Initializer:
        return keras.initializers.GlorotUniform(seed=SEED + seed)

    def layer(filters: int, size: int, activation: str | None, seed: int) -> keras.layers.Layer:
        return conv(filters, size, padding="same", activation=activation, kernel_initializer=random(seed))

    given = keras.Input((32, 32, 10))
    enter = keras.layers.Conv2DTranspose(
        WIDTH, 9, strides=7, padding="same", activation="relu", kernel_initializer=random(2)
    )
    x = enter(given)
    x = layer(WIDTH, 5, "relu", 3)(x) + x
    x = layer(WIDTH, 5, "relu", 4)(x)
    x = layer(WIDTH, 5, "relu", 5)(x) + x
    leave = layer(3, 3, None, 6)
    model = biased(keras.Model(given, tf.clip_by_value(leave(x), 0, 1)), 0.1)
    kernel, _ = leave.get_weights()
    leave.set_weights([4 * kernel, np.float32([0.4, 0.5, 0.6])])  # so that some of the answer is clipped, not all
    return model


def by_order(model: keras.Model) -> tf.Module:
    """The model's variables alone, named as in the published checkpoints."""
    holder = tf.train.Checkpoint()
    holder.variables = list(model.variables)
    return holder


def save_variables(model: tf.Module, folder: Path) -> None:
    with tempfile.TemporaryDirectory() as saved:
        tf.saved_model.save(model, saved)
        (folder / "variables").mkdir(parents=True, exist_ok=True)
        for file in (Path(saved) / "variables").iterdir():
            shutil.copyfile(file, folder / "variables" / file.name)


def quantized(model: keras.Model) -> bytes:
    """uint8 in and out, as the published encoders: int8 inside, weights scaled by output channel."""

    def calibration():
        for shift in range(0, 256, 16):
            yield [picture(shift).astype(np.float32) / 255]

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = calibration
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.uint8
    return bytes(converter.convert())


def main() -> None:
    keras.utils.set_random_seed(SEED)
    coder, restorer = encoder(), decoder()
    save_variables(by_order(coder), HERE / "encoder")
    save_variables(restorer, HERE / "decoder")

    rows = np.ix_(LATENT_LINES, LATENT_LINES)
    pixels = np.ix_(PIXEL_LINES, PIXEL_LINES)
    tflite = quantized(coder)
    interpreter = tf.lite.Interpreter(model_content=tflite)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], picture(5))
    interpreter.invoke()
    activations = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    np.savez_compressed(
        HERE / "answers.npz",
        latent_lines=LATENT_LINES,
        latent=coder(picture(5).astype(np.float32) / 255).numpy()[0][rows],
        pixel_lines=PIXEL_LINES,
        pixels=restorer(latent()).numpy()[0][pixels],
        activations=activations[0][rows],
    )
    TFLITE.parent.mkdir(parents=True, exist_ok=True)
    TFLITE.write_bytes(tflite)


if __name__ == "__main__":
    main()
