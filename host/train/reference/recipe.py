"""What the published training is told: three stages, and what a run may choose."""

from __future__ import annotations

from dataclasses import dataclass

#: The recipe's name on the command line and in its checkpoints, and the version of their layout.
NAME = "pnc"
VERSION = 1
#: What the weights call themselves.
WEIGHTS_NAME = "pnc-reference"
CLASSIFIER = "efficientnet-lite0"
#: Adam's epsilon where the published training ran (Keras).
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
    #: Rate of the classifier's weights as a share of the codec's; 0: it is frozen.
    classifier_rate: float = 0.0
    epochs: int = 70

    def rate_at(self, epoch: int) -> float:
        """The codec's learning rate in ``epoch`` (from 0)."""
        return float(self.learning_rate * DECAY ** (epoch // self.decay_epochs))


STAGES = (
    Stage(0, learning_rate=1e-3, decay_epochs=10, mse_weight=1.0, answer_weight=0.0, batches_a_step=1),
    Stage(1, learning_rate=5e-3, decay_epochs=15),
    # Its normalizations are folded: at the codec's rate it would be destroyed within steps.
    Stage(2, learning_rate=5e-3, decay_epochs=15, classifier_rate=0.01),
)


@dataclass(frozen=True)
class Run:
    """A stage, and what its run may choose. All of it but ``epochs`` stays the same when a run is resumed."""

    stage: Stage
    epochs: int
    #: Photos at a time, of all processes together.
    batch: int = 4
    #: Side of the pictures in pixels; the published networks take 224.
    side: int = 224
    seed: int = 20231205
