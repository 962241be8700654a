"""The same seed gives the same run, to the microsecond; another seed gives another run."""

from __future__ import annotations

from host.sim.world import WorldSettings
from tests.sim.scene import SECOND_US, Scene, air, picture


def run(settings: WorldSettings) -> list[tuple[int, str, str]]:
    scene = Scene(settings)
    assert scene.ready()
    for seed in range(12):
        for camera in range(settings.cameras):
            scene.submit(picture(15, seed), 400_000, camera)
        scene.run(300_000)
    scene.run(SECOND_US)
    log = [(at_us, who, repr(event)) for at_us, who, event in scene.log]
    air_log = [(heard.at_us, "air", repr(heard.packet)) for heard in scene.tap.on_air]
    assert len(air_log) > 100
    return log + air_log


def test_the_same_seed_gives_the_same_run() -> None:
    settings = air(loss=0.2, noise=1e-4, cameras=2, seed=5)
    assert run(settings) == run(settings)


def test_another_seed_gives_another_run() -> None:
    assert run(air(loss=0.2, seed=5)) != run(air(loss=0.2, seed=6))
