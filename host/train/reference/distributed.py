"""The processes of a training: one, or those that torchrun started."""

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

#: Time limit of waiting for other processes; longer than loading photos or writing a checkpoint takes.
TIMEOUT = timedelta(minutes=30)
#: Texts of gloo's and NCCL's errors when another process has ended.
_GONE = ("Connection closed by peer", "Connection reset by peer", "Broken pipe", "remote process exited")


class Team:
    """The processes of this training, and the rank of this one."""

    def __init__(self) -> None:
        self.rank = int(os.environ.get("RANK", "0"))
        self.size = int(os.environ.get("WORLD_SIZE", "1"))
        local = int(os.environ.get("LOCAL_RANK", "0"))
        self.device = torch.device("cpu")
        if torch.cuda.is_available():
            if local >= torch.cuda.device_count():
                raise TrainingError(
                    f"process {local} has no GPU of its own: start at most {torch.cuda.device_count()}, "
                    "or set CUDA_VISIBLE_DEVICES= to train on the CPU"
                )
            self.device = torch.device("cuda", local)
            torch.cuda.set_device(self.device)
        self._cpu_group: dist.ProcessGroup | None = None

    @property
    def leads(self) -> bool:
        """Whether this process prints and writes files."""
        return self.rank == 0

    @contextmanager
    def joined(self) -> Iterator[None]:
        """Connect to the other processes. Raises TrainingError if another process ends."""
        if self.size == 1:
            yield
            return
        dist.init_process_group("nccl" if self.device.type == "cuda" else "gloo", timeout=TIMEOUT)
        # Flags and sums use the CPU, so that they do not wait for GPU kernels.
        self._cpu_group = dist.new_group(backend="gloo", timeout=TIMEOUT)
        try:
            yield
        except RuntimeError as error:
            if any(words in str(error) for words in _GONE):
                raise TrainingError("another process of this training has ended; its own message says why") from error
            raise
        finally:
            self._cpu_group = None
        # Not after an error: it would wait for processes that wait for this one to end.
        dist.destroy_process_group()

    def wrap(self, module: nn.Module) -> nn.Module:
        """Return ``module`` with its gradients averaged over the processes."""
        if self.size == 1:
            return module
        return DistributedDataParallel(module, device_ids=[self.device] if self.device.type == "cuda" else None)

    def sharing(self, wrapped: nn.Module, now: bool) -> AbstractContextManager[None]:
        """Average the accumulated gradients over the processes at the end of the block if ``now``, else later."""
        if now or not isinstance(wrapped, DistributedDataParallel):
            return nullcontext()
        return wrapped.no_sync()

    def total(self, values: list[float]) -> list[float]:
        """Return each value summed over the processes."""
        if self._cpu_group is None:
            return values
        sums = torch.tensor(values, dtype=torch.float64)
        dist.all_reduce(sums, group=self._cpu_group)
        return [float(v) for v in sums]

    def any(self, flag: bool) -> bool:
        """Return whether the flag is set in any process."""
        return self.total([float(flag)])[0] > 0
