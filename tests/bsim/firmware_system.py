"""The system of ``tests.system`` with boards that run the firmware: the same events, the same oracle."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from host.link.events import ImageCollected
from host.link.frames import FrameReader
from host.link.session import State
from host.ranked import RankedPacket
from host.sim.world import Node
from host.wire import Configure, MalformedError, Picture, Role, Statistics, StatisticsRequest, parse
from tests.bsim.firmware_world import FirmwareWorld, pair
from tests.system.oracle import DeviationError
from tests.system.rules import Rules
from tests.system.system import System

#: From their start, the boards have this time to connect, us.
START_US = 1_500_000
#: Boards notice that a connection has ended after 2 to 4 s, and have at most 2 s to connect again.
RECOVERY_US = 7_000_000
#: Boards have this time to give account, us.
_ACCOUNT_US = 200_000
#: Jammed slots that stand for a rate of the model, bit/s.
_SLOTS = {None: 0.0, 200_000: 0.5, 20_000: 0.8}
_KEEP_POWER_DBM = 127


class FirmwareSystem(System):
    """The system on simulated boards. What differs from the virtual ones:

    Jamming disturbs all cameras alike. A reset is a loss of power, of which a history has at most
    ``tests.bsim.stepped.LIVES``. A connection is ended by the role, which the camera's board gives up and takes again.
    Boards give account when it is calm. The edge board may number its cameras in any way, but keeps to it.
    """

    recovery_us = RECOVERY_US

    def __init__(self, cameras: int, seed: int, program: Path, bonds: Path) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="pnc-history-"))
        self.boards = FirmwareWorld(self._folder, program, bonds, cameras, seed)
        self._numbers: dict[int, int] = {}  # cameras by the edge board's numbers
        self._accounts: dict[str, Statistics] = {}
        try:
            super().__init__(cameras, seed, self.boards)
            self.run(START_US)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self.boards.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    # Faults and users

    def change_radio(self, camera: int, interval_us: int) -> None:
        self._configure(camera, Role.CAMERA, interval_us=interval_us)

    def reset(self, node: int) -> None:
        super().reset(node)
        self._tap(self.world.nodes[node])
        if self.world.nodes[node] is self.world.edge:
            self._numbers.clear()

    def disconnect(self, camera: int) -> None:
        self._configure(camera, Role.NONE)
        self._configure(camera, Role.CAMERA)

    def jam(self, camera: int, loss: float, rate_bps: float | None) -> None:  # noqa: ARG002
        self.boards.simulation.noise = max(loss, _SLOTS[rate_bps])  # type: ignore[index]

    def _configure(self, camera: int, role: Role, *, interval_us: int = 0) -> None:
        session = self.senders[camera].session
        if session.state is State.OPEN:
            packet = Configure(role=role, tx_power_dbm=_KEEP_POWER_DBM, interval_us=interval_us)
            session.channel.write(self.programs[camera].now_us, packet)
            self.programs[camera].host.wake()

    def _clear_air(self) -> None:
        self.boards.simulation.noise = 0.0
        for camera in range(len(self.senders)):
            self._configure(camera, Role.CAMERA)  # the last one may have been damaged

    # Accounts

    def calm(self) -> None:
        super().calm()
        self._accounts.clear()
        for machine, program in zip([*self.senders, self.receiver], [*self.programs, self.server], strict=True):
            machine.session.channel.write(program.now_us, StatisticsRequest())
            program.host.wake()
        self.run(_ACCOUNT_US)
        silent = {node.board.name for node in self.world.nodes} - self._accounts.keys()
        if silent:
            raise DeviationError(f"no account of {', '.join(sorted(silent))}")

    def _check_accounts(self) -> None:
        for name, account in self._accounts.items():
            out = account.sent + account.expired + account.evicted + account.flushed + account.waiting
            if account.accepted != out:
                raise DeviationError(f"the {name} board's queue does not add up: {account}")

    # Taps

    def _tap_air(self) -> None:
        for node in self.world.nodes:
            self._tap(node)

    def _tap(self, node: Node) -> None:
        """Read what a board sends to its computer, before anything can damage it."""
        board: Any = node.board
        reader = FrameReader()

        def on_read(data: bytes) -> None:
            for frame in reader.feed(data):
                try:
                    packet = parse(frame.packet)
                except MalformedError:
                    raise DeviationError(f"the {board.name} board sends what is no packet: {frame.packet!r}") from None
                if isinstance(packet, Picture):
                    self._arrived(packet)
                elif isinstance(packet, Statistics):
                    self._accounts[board.name] = packet

        board.on_read = on_read

    def _arrived(self, packet: Picture) -> None:
        """Tell the oracle of a packet that the edge board has received."""
        camera = self._camera_with(packet.image, [RankedPacket(packet.rank, packet.position, packet.data)])
        if camera is not None and self._numbers.setdefault(packet.source, camera) != camera:
            raise DeviationError(f"a packet of camera {camera} comes as one of camera {self._numbers[packet.source]}")
        self.oracle.on_air(self.schedule.now_us, 0 if camera is None else camera, packet)

    def _of_camera(self, event: ImageCollected) -> ImageCollected:
        camera = self._camera_with(event.image, event.packets) if event.packets else None
        return replace(event, source=self._numbers.get(event.source, event.source) if camera is None else camera)

    def _camera_with(self, image: int, packets: Any) -> int | None:
        """Return which camera has sent packets; the codec bytes are random, so it is one at most."""
        for camera, pictures in enumerate(self.oracle.pictures):
            for sent in pictures.get(image, ()):
                if all(each.rank < len(sent.packets) and sent.packets[each.rank] == each for each in packets):
                    return camera
        return None


def firmware_rules(program: Path, folder: Path) -> type[Rules]:
    """Return the rules of ``tests.system`` for boards that run a program; ``folder`` keeps their bonds."""

    class FirmwareRules(Rules):
        calm_after = 6  # it takes longer than all other rules together

        def new_system(self, cameras: int, seed: int) -> System:
            return FirmwareSystem(cameras, seed, program, pair(folder, program, cameras))

    return FirmwareRules
