"""The published recipe: three stages, and the options of a run."""

from __future__ import annotations

from dataclasses import dataclass

from ...codec.layout import SIDE

#: The recipe's name on the command line and in its checkpoints, and the version of their layout.
NAME = "pnc"
VERSION = 1
#: The name that weights carry.
WEIGHTS_NAME = "pnc-reference"
CLASSIFIER = "efficientnet-lite0"
#: Adam's epsilon in Keras, with which the published training ran.
EPSILON = 1e-7
DECAY = 0.3


@dataclass(frozen=True)
class Stage:
    """One stage: loss = ``mse_weight`` * MSE + ``answer_weight`` * KL(classifier(original) || classifier(decoded)).

    The rate falls to 0.3 of itself every ``decay_epochs``; Adam moves the weights by the mean gradient of
    ``batches_a_step`` batches, each with a tail of its own. Figures: rateless_ae_imagenet.py, utils/utils_imagenet.py
    and README.md in the folder training/ of rickywrq/Progressive-Neural-Compression; ``classifier_rate`` is ours.
    """

    number: int
    learning_rate: float
    decay_epochs: int
    mse_weight: float = 10.0
    answer_weight: float = 1.0
    batches_a_step: int = 10
    #: Learning rate of the classifier as a fraction of the codec's; 0: frozen.
    classifier_rate: float = 0.0
    epochs: int = 70

    def rate_at(self, epoch: int) -> float:
        """Return the codec's learning rate in ``epoch`` (from 0)."""
        return float(self.learning_rate * DECAY ** (epoch // self.decay_epochs))


STAGES = (
    Stage(0, learning_rate=1e-3, decay_epochs=10, mse_weight=1.0, answer_weight=0.0, batches_a_step=1),
    Stage(1, learning_rate=5e-3, decay_epochs=15),
    # The classifier's normalizations are folded: the codec's rate would destroy it within a few steps.
    Stage(2, learning_rate=5e-3, decay_epochs=15, classifier_rate=0.01),
)


@dataclass(frozen=True)
class Run:
    """A stage and the options of its run. All but ``epochs`` must be the same when a run is resumed."""

    stage: Stage
    epochs: int
    #: Photos in a batch, of all processes together.
    batch: int = 4
    #: Side of the pictures in pixels; the published networks take 224.
    side: int = SIDE
    seed: int = 20231205
