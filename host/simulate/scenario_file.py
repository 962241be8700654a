"""Reads scenarios: the shipped ones, and those of the user's TOML files."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from ..sim.line import UART_BYTES_PER_S
from ..sim.radio import RadioParameters
from ..sim.trace import ChannelState, Trace
from ..sim.world import WorldSettings
from ..wire import MAX_DEADLINE_MS, Phy
from .channel import Bursts, bursts_trace, steps_trace
from .scenario import Disconnect, Scenario, ScenarioError, firmware_interval_us

#: The word on the command line for every shipped scenario.
ALL = "all"
FOLDER = Path(__file__).parent / "scenarios"
PHYS = {"2M": Phy.LE_2M, "1M": Phy.LE_1M, "coded-S2": Phy.CODED_S2, "coded-S8": Phy.CODED_S8}
_MOST_CAMERAS = 8
_LONG = 1e6


def shipped() -> list[str]:
    """Return the names of the shipped scenarios."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def read_scenarios(text: str) -> list[Scenario]:
    """Return the scenarios that names and files, separated by commas, stand for; ``all``: every shipped one.

    Raises ScenarioError or TraceError for an unknown name, a file that cannot be read, or an invalid key.
    """
    names = [name for part in text.split(",") for name in (shipped() if part == ALL else [part])]
    return [read_scenario(name) for name in dict.fromkeys(names)]


def read_scenario(name: str) -> Scenario:
    """Return a shipped scenario by name, or one from a TOML file. Raises ScenarioError or TraceError."""
    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    if path.parent == FOLDER and name not in shipped():
        raise ScenarioError(f"scenario {name!r}: there is no such scenario (there are {', '.join(shipped())})")
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ScenarioError(f"scenario {name}: {error.strerror or error}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ScenarioError(f"scenario {name}: not a TOML file ({error})") from error
    return _Reader(path.stem, path.parent, data).scenario()


class _Reader:
    """Reads one file's keys, each once; what is left over is unknown."""

    def __init__(self, name: str, folder: Path, data: Mapping[str, Any]) -> None:
        self._name, self._folder, self._data = name, folder, dict(data)

    def scenario(self) -> Scenario:
        about = self._data.pop("about", "")
        deadlines_ms = self._deadlines()
        cameras = round(self._number("cameras", 1, _MOST_CAMERAS, 1) or 1)
        phy = PHYS.get(name := self._data.pop("phy", "2M"))
        if phy is None:
            raise self._error("phy", f"is {name!r}, one of {', '.join(PHYS)} is needed")
        interval_ms = self._number("interval_ms", 7.5, 4_000)
        interval_us = firmware_interval_us(phy, cameras) if interval_ms is None else round(interval_ms * 1000)
        parameters = RadioParameters(phy, interval_us)
        if not parameters.possible:
            raise self._error("interval_ms", f"must be given: a full packet does not fit {interval_us / 1000:g} ms")
        settings = WorldSettings(
            cameras=cameras,
            parameters=parameters,
            trace=self._channel(),
            bytes_per_s=round(self._number("serial_bytes_per_s", 1_000, 10_000_000) or UART_BYTES_PER_S),
            noise=self._number("serial_errors", 0, 1) or 0.0,
        )
        period_ms, aligned_ms = self._number("period_ms", 1, _LONG), self._number("aligned_ms", 1, _LONG)
        disconnects = tuple(self._disconnect(each) for each in self._data.pop("disconnects", []))
        service_ms = self._number("service_ms", 0, MAX_DEADLINE_MS)
        workers = self._number("workers", 1, 1_000)
        if self._data:
            raise self._error(next(iter(self._data)), "is unknown")
        return Scenario(
            name=self._name,
            about=str(about),
            deadlines_ms=deadlines_ms,
            period_ms=period_ms,
            aligned_ms=aligned_ms,
            settings=settings,
            disconnects=disconnects,
            service_us=50_000 if service_ms is None else round(service_ms * 1000),
            workers=None if workers is None else round(workers),
        )

    def _deadlines(self) -> tuple[float, ...]:
        deadlines = self._data.pop("deadlines_ms", None)
        if not isinstance(deadlines, list) or not deadlines:
            raise self._error("deadlines_ms", "must be a list of times in ms")
        return tuple(self._checked("deadlines_ms", value, 1, MAX_DEADLINE_MS) for value in deadlines)

    def _channel(self) -> Trace:
        rate_kbps, loss = self._number("rate_kbps", 0.1, _LONG), self._number("packet_errors", 0, 1)
        constant = ChannelState(None if rate_kbps is None else rate_kbps * 1000, loss or 0.0)
        trace, steps, bursts = (self._data.pop(key, None) for key in ("trace", "steps", "bursts"))
        cycle_ms = self._number("cycle_ms", 1, _LONG)
        given = [key for key, value in (("trace", trace), ("steps", steps), ("bursts", bursts)) if value is not None]
        if len(given) > 1:
            raise self._error(given[1], f"cannot be combined with {given[0]}")
        if given and given[0] != "bursts" and (rate_kbps, loss) != (None, None):
            raise self._error(given[0], "cannot be combined with rate_kbps or packet_errors")
        if trace is not None:
            beside = self._folder / str(trace)
            return Trace.read(str(beside) if beside.is_file() else str(trace))
        if bursts is not None:
            return bursts_trace(self._bursts(bursts), constant)
        if steps is None:
            return Trace.constant(constant)
        if not isinstance(steps, list) or not steps:
            raise self._error("steps", "must be a list of [ms, kbit/s] or [ms, kbit/s, loss]")
        try:
            return steps_trace([self._step(step) for step in steps], cycle_ms)
        except ScenarioError:
            raise
        except ValueError as error:
            raise self._error("steps", f"is not usable: {error}") from None

    def _step(self, step: Any) -> list[float]:
        if not isinstance(step, list) or not 2 <= len(step) <= 3:
            raise self._error("steps", "must be a list of [ms, kbit/s] or [ms, kbit/s, loss]")
        at_ms, rate_kbps, *loss = step
        numbers = [self._checked("steps", value, 0, _LONG) for value in (at_ms, rate_kbps)]
        return [*numbers, *(self._checked("steps", value, 0, 1) for value in loss)]

    def _bursts(self, table: Any) -> Bursts:
        self._known("bursts", table, Bursts, ("clear_ms", "jammed_ms"))
        return Bursts(
            clear_ms=self._checked("bursts.clear_ms", table["clear_ms"], 1, _LONG),
            jammed_ms=self._checked("bursts.jammed_ms", table["jammed_ms"], 1, _LONG),
            loss=self._checked("bursts.loss", table.get("loss", 1.0), 0, 1),
            random=bool(table.get("random", True)),
            seed=round(self._checked("bursts.seed", table.get("seed", 1), 0, _LONG)),
        )

    def _disconnect(self, table: Any) -> Disconnect:
        self._known("disconnects", table, Disconnect, ("by", "at_s", "every_s"))
        if table["by"] not in ("range", "camera", "edge"):
            raise self._error("disconnects.by", f"is {table['by']!r}, one of range, camera, edge is needed")
        return Disconnect(
            by=table["by"],
            at_s=self._checked("disconnects.at_s", table["at_s"], 0, _LONG),
            every_s=self._checked("disconnects.every_s", table["every_s"], 0.1, _LONG),
            for_s=self._checked("disconnects.for_s", table.get("for_s", 0), 0, _LONG),
        )

    def _known(self, key: str, table: Any, kind: type, needed: tuple[str, ...]) -> None:
        """Raise ScenarioError unless ``table`` has the needed keys and no other than those of ``kind``."""
        if not isinstance(table, dict):
            raise self._error(key, "must be a table")
        names = [field.name for field in fields(kind)]
        for name in table:
            if name not in names:
                raise self._error(f"{key}.{name}", "is unknown")
        for name in needed:
            if name not in table:
                raise self._error(f"{key}.{name}", "is missing")

    def _number(self, key: str, least: float, most: float, default: float | None = None) -> float | None:
        value = self._data.pop(key, default)
        return None if value is None else self._checked(key, value, least, most)

    def _checked(self, key: str, value: object, least: float, most: float) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise self._error(key, f"is {value!r}, a number from {least:g} to {most:g} is needed")
        return float(value)

    def _error(self, key: str, text: str) -> ScenarioError:
        return ScenarioError(f"scenario {self._name}: {key} {text}")
