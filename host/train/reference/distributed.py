"""The processes of a training: one, or as many as torchrun started."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from ..photos import TrainingError

#: How long a process waits for the others; longer than one of them decodes photos or writes a checkpoint.
PATIENCE = timedelta(minutes=30)
#: What gloo's and NCCL's errors say when another process has gone.
_GONE = ("Connection closed by peer", "Connection reset by peer", "Broken pipe", "remote process exited")


class Team:
    """The processes of this training, and this one's place among them."""

    def __init__(self) -> None:
        self.rank = int(os.environ.get("RANK", "0"))
        self.size = int(os.environ.get("WORLD_SIZE", "1"))
        local = int(os.environ.get("LOCAL_RANK", "0"))
        self.device = torch.device("cpu")
        if torch.cuda.is_available():
            if local >= torch.cuda.device_count():
                raise TrainingError(
                    f"process {local} has no GPU of its own: start at most {torch.cuda.device_count()} here, "
                    "or set CUDA_VISIBLE_DEVICES= to train on the CPU"
                )
            self.device = torch.device("cuda", local)
            torch.cuda.set_device(self.device)
        self._talk: dist.ProcessGroup | None = None

    @property
    def leads(self) -> bool:
        """Whether this is the process that prints and writes."""
        return self.rank == 0

    @contextmanager
    def joined(self) -> Iterator[None]:
        """Connected to the other processes; what another one's end breaks becomes one line."""
        if self.size == 1:
            yield
            return
        dist.init_process_group("nccl" if self.device.type == "cuda" else "gloo", timeout=PATIENCE)
        # Small talk goes over the CPU, so that it waits for no kernel.
        self._talk = dist.new_group(backend="gloo", timeout=PATIENCE)
        try:
            yield
        except RuntimeError as error:
            if any(words in str(error) for words in _GONE):
                raise TrainingError("another process of this training has ended; its own message says why") from error
            raise
        finally:
            self._talk = None
        # Not after an error: it would wait for processes that are waiting for this one to end.
        dist.destroy_process_group()

    def wrap(self, module: nn.Module) -> nn.Module:
        """``module`` with its gradients averaged over the processes."""
        if self.size == 1:
            return module
        return DistributedDataParallel(module, device_ids=[self.device] if self.device.type == "cuda" else None)

    def sharing(self, wrapped: nn.Module, now: bool) -> AbstractContextManager[None]:
        """Gradients of what runs inside are averaged over the processes ``now``, with those before, or not yet."""
        if now or not isinstance(wrapped, DistributedDataParallel):
            return nullcontext()
        return wrapped.no_sync()

    def total(self, values: list[float]) -> list[float]:
        """Each value, summed over the processes."""
        if self._talk is None:
            return values
        sums = torch.tensor(values, dtype=torch.float64)
        dist.all_reduce(sums, group=self._talk)
        return [float(v) for v in sums]

    def any(self, flag: bool) -> bool:
        """Whether the flag is up in any process."""
        return self.total([float(flag)])[0] > 0
