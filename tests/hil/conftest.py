"""One set of tests, several links: ``pytest tests/hil --link sim|bumble|bsim|hil`` (docs/hil.md)."""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from host.devices.choice import port_named
from host.devices.host_system import HostSystem
from host.devices.survey import survey
from host.devices.usb import Kind, attached
from host.log.entry import CAMERA, EDGE, Entry
from host.log.recorder import Recorder
from host.log.sinks import FileSink, MemorySink
from host.log.tap import Tap, TappedTransport
from host.log.timeline import time_lines
from host.wire import Role
from tests import pace
from tests.hil.host import Host
from tests.hil.needs import MARK
from tests.hil.report import Plot, Run
from tests.hil.rigs.rig import NEEDS, Rig

LINKS = ("sim", "bumble", "bsim", "hil")
#: Time limit of a test on the reference machine; a test that takes longer hangs.
HANG_S = 240.0
_RUN = pytest.StashKey[Run]()
_WHY_NOT = pytest.StashKey[str]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("hil", "boards in the loop")
    group.addoption("--link", choices=LINKS, default="sim", help="what the tests run on (sim)")
    group.addoption("--camera", default="", metavar="PORT|NAME", help="--link hil: the camera board")
    group.addoption("--edge", default="", metavar="PORT|NAME", help="--link hil: the edge board")
    group.addoption("--require-boards", action="store_true", help="missing boards are a failure, not a skip")
    group.addoption("--hil-log", default="", metavar="FILE", help="append an event log (docs/log.md)")
    group.addoption("--hil-report", default="", metavar="FILE", help="write a page with figures and plots")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{MARK}(*names): what a test needs of its link: {', '.join(NEEDS)}")
    config.stash[_RUN] = Run(_link(config))


def _link(config: pytest.Config) -> str:
    return str(config.getoption("link", "sim"))


@pytest.fixture(scope="session")
def make_rig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[bool], Rig]:
    """Return a maker of the rig that --link names; skip, or fail with --require-boards, if it is not available."""
    config = request.config
    match _link(config):
        case "sim":
            from tests.hil.rigs.sim import SimRig

            return lambda slow: SimRig(slow=slow)
        case "bumble":
            if importlib.util.find_spec("bumble") is None:
                _missing(config, "the package bumble is missing: pip install 'pnc-link[test]'")
            from tests.hil.rigs.bumble import BumbleRig

            return lambda slow: BumbleRig(slow=slow)
        case "bsim":
            return _bsim(config, tmp_path_factory)
        case _:
            if config.getoption("twister_harness", False):
                request.getfixturevalue("dut").close()  # by now it wrote the board; its port is for the tests
            return _boards(config)


def _bsim(config: pytest.Config, folders: pytest.TempPathFactory) -> Callable[[bool], Rig]:
    from tests.bsim import simulation
    from tests.hil.rigs.serial import BsimRig

    why = simulation.missing()
    if why is not None:
        _missing(config, f"simulated boards: {why}")
    program = simulation.the_program()
    return lambda slow: BsimRig(folders.mktemp("bsim"), program, slow=slow)


def _boards(config: pytest.Config) -> Callable[[bool], Rig]:
    from tests.hil.rigs.serial import SerialRig

    system = HostSystem()
    given = (str(config.getoption(name, "")) for name in ("camera", "edge"))
    camera, edge = (asyncio.run(port_named(system, text)) for text in given)
    if not (camera and edge):
        boards = asyncio.run(survey(system))
        ports = {role: [info.port for info in boards if info.role is role] for role in (Role.CAMERA, Role.EDGE)}
        if any(len(found) > 1 for found in ports.values()):
            pytest.fail(f"several boards of one role ({ports}): name them with --camera and --edge")
        camera = camera or next(iter(ports[Role.CAMERA]), "")
        edge = edge or next(iter(ports[Role.EDGE]), "")
    if not (camera and edge):
        _missing(config, "boards: a camera and an edge board are needed (`python -m host.boards list`, `role`)")
    by_usb = any(board.kind is Kind.USB and {camera, edge} & set(board.ports) for board in attached())
    return lambda slow: SerialRig(camera, edge, slow=slow, keeps_port=not by_usb)


def _missing(config: pytest.Config, why: str) -> None:
    if config.getoption("require_boards", False):
        pytest.fail(why)
    pytest.skip(why)


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    """Run the event loop of a test, its hosts and its boards."""
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture
def link(request: pytest.FixtureRequest, make_rig: Callable[[bool], Rig], runner: asyncio.Runner) -> Iterator[Rig]:
    """Start the boards, with slow air if the test needs ``slow_air``."""
    needed = _needs(request.node)
    rig = make_rig("slow_air" in needed)
    recorder, entries = _record(request, rig)
    for name in needed:
        if name not in rig.has:
            pytest.skip(f"link {rig.name} has no {name} ({NEEDS[name]})")
    runner.run(rig.start())
    try:
        with recorder:
            yield rig
    finally:
        runner.run(rig.stop())
        _add_time_line(request, entries)


def _record(request: pytest.FixtureRequest, rig: Rig) -> tuple[Recorder, list[Entry]]:
    """Return a recorder of what passes on both serial lines of a rig, and the entries that it will have."""
    memory, path = MemorySink(limit=20_000), str(request.config.getoption("hil_log", ""))
    files = [FileSink(Path(path), lambda text: warnings.warn(text, stacklevel=1))] if path else []
    recorder = Recorder(f"hil {request.node.name}", [memory, *files])
    for name, vantage in (("camera_transport", CAMERA), ("edge_transport", EDGE)):
        make, tap = getattr(rig, name), Tap(recorder, vantage)
        setattr(rig, name, lambda make=make, tap=tap: TappedTransport(make(), tap))
    return recorder, memory.entries


def _add_time_line(request: pytest.FixtureRequest, entries: list[Entry]) -> None:
    """Draw when each packet of the first picture of a test was at the server, from the event log."""
    for picture in time_lines(entries)[:1]:
        points = [((each.arrived_us - picture.zero_us) / 1000, each.rank) for each in picture.arrived()]
        title = f"time line of image {picture.image}, the first"
        if points:
            request.config.stash[_RUN].plots.append(Plot(request.node.name, title, "ms", "rank", tuple(points)))


@pytest.fixture
def hosts(link: Rig, runner: asyncio.Runner) -> Iterator[tuple[Host, Host]]:
    """Run a host at each end of two connected boards."""
    camera, edge = Host(link.camera_transport(), Role.CAMERA), Host(link.edge_transport(), Role.EDGE)

    async def begin() -> None:
        async with asyncio.timeout(pace.seconds(HANG_S)):
            await edge.open()
            await camera.open()
            await link.prepare(camera, edge)
            await camera.linked()
            await edge.linked()

    async def end() -> None:
        if camera.lost is None and edge.lost is None:
            await link.restore(camera, edge)
        await camera.close()
        await edge.close()

    try:
        runner.run(begin())
        yield camera, edge
    finally:
        runner.run(end())


@pytest.fixture
def camera(hosts: tuple[Host, Host]) -> Host:
    """Return the camera computer."""
    return hosts[0]


@pytest.fixture
def edge(hosts: tuple[Host, Host]) -> Host:
    """Return the edge server's computer."""
    return hosts[1]


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Return a function that adds a figure to the report."""
    run = request.config.stash[_RUN]
    return lambda what, value: run.figures.append((request.node.name, what, value))


@pytest.fixture
def plot(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Return a function that adds a curve to the report: title, x, y, points."""
    run = request.config.stash[_RUN]

    def add(title: str, x: str, y: str, points: list[tuple[float, float]]) -> None:
        run.plots.append(Plot(request.node.name, title, x, y, tuple(points)))

    return add


def _needs(item: pytest.Item) -> list[str]:
    return [name for mark in item.iter_markers(MARK) for name in mark.args]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that is a coroutine in the loop of its boards."""
    if inspect.iscoroutinefunction(metafunc.function) and "runner" not in metafunc.fixturenames:
        metafunc.fixturenames.append("runner")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a coroutine; a hang fails it."""
    test = pyfuncitem.obj
    if not inspect.iscoroutinefunction(test):
        return None
    arguments: dict[str, Any] = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    runner: asyncio.Runner = pyfuncitem.funcargs["runner"]

    async def limited() -> None:
        async with asyncio.timeout(pace.seconds(HANG_S)):
            await test(**arguments)

    runner.run(limited())
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    report = yield
    if _RUN in item.config.stash and (report.when == "call" or report.outcome != "passed"):
        why = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext.splitlines()[-1:]
        text = why if isinstance(why, str) else "".join(why)
        item.config.stash[_RUN].outcomes.append((item.name, report.outcome, call.duration, text))
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    path = str(session.config.getoption("hil_report", ""))
    if path:
        session.config.stash[_RUN].write(Path(path))
