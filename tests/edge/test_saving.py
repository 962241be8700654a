"""Pictures are saved beside the work of the server: a disk that is slow delays no answer."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra edge)")

from host.camera.camera import Camera
from host.codec import load
from host.edge.answered import AnsweredPicture
from host.edge.archive import Archive
from host.edge.classifier import Classifier
from host.edge.classifier import load as load_classifier
from host.edge.server import EdgeServer
from host.sim.virtual_boards import virtual_boards
from tests import pace
from tests.edge.tiny_models import colour_classifier

CODEC = load()


class Watched:
    """A classifier that notes in which threads it runs."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier
        self.labels = classifier.labels
        self.threads: set[int] = set()

    def top(self, picture: np.ndarray, k: int = 5) -> object:
        self.threads.add(threading.get_ident())
        return self._classifier.top(picture, k)


class SlowArchive(Archive):
    """An archive on a disk that takes its time."""

    def __init__(self, folder: Path, takes_s: float) -> None:
        super().__init__(folder)
        self._takes_s = takes_s
        self.threads: set[int] = set()

    def keep(self, answered: AnsweredPicture) -> AnsweredPicture:
        self.threads.add(threading.get_ident())
        time.sleep(self._takes_s)
        return super().keep(answered)


def test_a_slow_disk_delays_no_answer(tmp_path: Path) -> None:
    takes_s = pace.seconds(1.0)

    async def test() -> None:
        classifier = Watched(load_classifier(str(colour_classifier(tmp_path / "colours.onnx"))))
        archive = SlowArchive(tmp_path / "out", takes_s)
        picture = np.full((224, 224, 3), (210, 40, 40), np.uint8)
        async with (
            virtual_boards() as (camera_board, edge_board),
            EdgeServer(edge_board, CODEC, classifier, archive=archive, workers=1),  # type: ignore[arg-type]
            Camera(camera_board, CODEC) as camera,
        ):
            await camera.connect(20)
            for _ in range(3):
                report = await camera.send_picture(picture, deadline_ms=900 * takes_s)
                assert report.status == "ok"
        assert archive.threads
        assert not archive.threads & classifier.threads
        assert threading.get_ident() not in archive.threads

    asyncio.run(asyncio.wait_for(test(), pace.seconds(60)))
