"""A torch classifier of the user's own: loaded, checked, and shown to the training as its own networks are."""

from __future__ import annotations

import copy
import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ...codec import SIDE
from ...edge.pictures import IMAGENET_MEAN, IMAGENET_STD
from ..photos import TrainingError
from .goals import Goals

#: Scores are probabilities if every row of a trial is one, up to this difference.
_SUM_TOLERANCE = 1e-3


class OwnNetwork(nn.Module):
    """A user's network that takes pictures as the codec decodes them. It stays in evaluation mode.

    Its batch normalization keeps its means and variances, and it has no dropout.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, spec: str, network: nn.Module, features: Sequence[str] = ()) -> None:
        """Check the network with a trial picture.

        Args:
            spec: "module:function", for error messages.
            network: takes float32 [n, 3, 224, 224], (x - mean) / std of ImageNet; returns scores [n, classes].
            features: names of its submodules whose outputs are goals, too.

        Raises:
            TrainingError: the network is no such classifier.
        """
        super().__init__()
        self.spec, self.network = spec, network.eval()
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(3, 1, 1))
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(3, 1, 1))
        known = dict(network.named_modules())
        for name in features:
            if not name or name not in known:
                raise TrainingError(f"--network {spec}: its network has no submodule {name!r}, which --features names")
        self._check(features)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return scores [n, classes] of pictures uint8 [n, 224, 224, 3]."""
        scores: Tensor = self.network(self.prepared(pictures))
        return scores

    def prepared(self, pictures: Tensor) -> Tensor:
        """Return pictures uint8 [n, 224, 224, 3] as the network takes them."""
        return (pictures.permute(0, 3, 1, 2).float() - self.mean) / self.std

    def maps_and_logits(self, pictures: Tensor, after: Sequence[int | str]) -> tuple[list[Tensor], Tensor]:
        """Return what ``forward`` does, and the outputs of the submodules ``after``."""
        found: dict[str, Tensor] = {}

        def note(name: str) -> Any:
            return lambda _module, _inputs, output: found.__setitem__(name, output)

        hooks = [self.network.get_submodule(str(name)).register_forward_hook(note(str(name))) for name in after]
        try:
            scores = self.forward(pictures)
        finally:
            for hook in hooks:
                hook.remove()
        return [found[str(name)] for name in after], scores

    def _check(self, features: Sequence[str]) -> None:
        ramp = torch.linspace(0, 255, SIDE).byte().view(1, SIDE, 1, 1).expand(2, SIDE, SIDE, 3)
        pictures = torch.stack([ramp[0], ramp[1].flip(0)])
        with in_one_line(self.spec, f"its network fails with float32 [2, 3, {SIDE}, {SIDE}]"), torch.no_grad():
            maps, scores = self.maps_and_logits(pictures, features)
        shape = list(scores.shape) if isinstance(scores, Tensor) else type(scores).__name__
        if not isinstance(scores, Tensor) or scores.ndim != 2 or len(scores) != 2 or scores.shape[1] < 2:
            raise TrainingError(
                f"--network {self.spec}: for 2 pictures its network gives {shape}, not scores [2, classes]"
            )
        if not torch.isfinite(scores).all():
            raise TrainingError(f"--network {self.spec}: its network gives numbers that are not finite")
        if scores.min() >= 0 and (scores.sum(1) - 1).abs().max() < _SUM_TOLERANCE:
            raise TrainingError(f"--network {self.spec}: its network gives probabilities; leave out its softmax")
        for name, found in zip(features, maps, strict=True):
            if not isinstance(found, Tensor) or len(found) != 2 or not found.is_floating_point():
                raise TrainingError(
                    f"--network {self.spec}: the output of {name!r} is not a tensor [n, ...] of features"
                )
        if not any(p.requires_grad for p in self.network.parameters()):
            raise TrainingError(f"--network {self.spec}: its network has no parameter that may learn")
        self.classes = scores.shape[1]


class OwnTeacher:
    """The untouched copy of a user's network: its answers are the goal."""

    def __init__(self, network: OwnNetwork, features: Sequence[int | str] = ()) -> None:
        self._network = copied(network).requires_grad_(False)
        self._features = tuple(features)

    @torch.no_grad()
    def goals(self, pictures: npt.NDArray[np.uint8]) -> Goals:
        """Return probabilities and feature maps for pictures uint8 [n, 224, 224, 3]."""
        maps, scores = self._network.maps_and_logits(torch.from_numpy(pictures), self._features)
        return Goals(torch.softmax(scores.float(), 1).numpy(), tuple(each.half().numpy() for each in maps))


def load_network(spec: str, features: Sequence[str] = ()) -> OwnNetwork:
    """Call the function that ``spec``, "module:function", names. Modules are also found in the current folder.

    Raises TrainingError if it does not return a classifier of pictures.
    """
    module_name, colon, function_name = spec.partition(":")
    if not (colon and module_name and function_name.isidentifier()):
        raise TrainingError(f"--network {spec}: it is not of the form module:function")
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    with in_one_line(spec, f"{module_name} cannot be imported"):
        module = importlib.import_module(module_name)
    function = getattr(module, function_name, None)
    if not callable(function):
        raise TrainingError(f"--network {spec}: {module_name} has no function {function_name}")
    with in_one_line(spec, f"{function_name}() fails"):
        network = function()
    if not isinstance(network, nn.Module):
        raise TrainingError(
            f"--network {spec}: {function_name}() gives {type(network).__name__}, not a torch.nn.Module"
        )
    return OwnNetwork(spec, network, features)


def copied(network: OwnNetwork) -> OwnNetwork:
    """Return a copy that does not change along. Raises TrainingError if the network cannot be copied."""
    with in_one_line(network.spec, "its network cannot be copied"):
        return copy.deepcopy(network)


@contextmanager
def in_one_line(spec: str, what: str) -> Iterator[None]:
    """Turn any exception of the user's code into a TrainingError of one line."""
    try:
        yield
    except Exception as error:
        text = str(error).strip().partition("\n")[0]
        raise TrainingError(f"--network {spec}: {what} ({type(error).__name__}{': ' if text else ''}{text})") from error
