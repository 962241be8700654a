"""A chip whose debug port is locked (APPROTECT), and what unlocks it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from ..devices.host_system import HostSystem
from . import targets

#: What the tools print about a locked chip: nrfjprog, nrfutil, J-Link, pyocd, and west about them.
_LOCKED = re.compile(
    r"readback protection|access (port )?protection|ap[- ]?protect|BecauseProtection|device is secured|"
    r"must be recovered|RECOVER_FAILED",
    re.IGNORECASE,
)
_GET_NRFJPROG = (
    "nrfjprog of Nordic's nRF Command Line Tools "
    "(https://www.nordicsemi.com/Products/Development-tools/nRF-Command-Line-Tools)"
)
_GET = {"nrfutil": f"nrfutil ({targets.GET_NRFUTIL})", "nrfjprog": _GET_NRFJPROG}
_ERASES = "erases all of its flash, settings and bonds included"


def advice(host_system: HostSystem, base: Path, board: str, west: Sequence[str], heard: Sequence[str]) -> str:
    """Return what to do if a tool reported that the chip is locked, nothing otherwise.

    Args:
        host_system: the computer, with its tools.
        base: Zephyr's folder.
        board: the board's short name.
        west: the command that writes the board.
        heard: what the tool printed.
    """
    if not any(_LOCKED.search(line) for line in heard):
        return _hidden(west)
    known = [name for name in _GET if targets.has_runner(base, name, board)]
    nrfutil = targets.has_nrfutil_device(host_system)
    here = {"nrfutil": nrfutil, "nrfjprog": host_system.tool("nrfjprog") is not None}
    runner = next((name for name in known if here[name]), "")
    if not runner and nrfutil:
        which = ["--serial-number", west[west.index("--dev-id") + 1]] if "--dev-id" in west else []
        recover = shlex.join(["nrfutil", "device", "recover", *which])
        return f": the chip is locked (APPROTECT): `{recover}` unlocks it and {_ERASES}; then run this again"
    missing = ""
    if not runner:
        runner = known[0] if known else "nrfjprog"
        missing = f"; it needs {_GET[runner]}"
    # Without --erase, which would erase what keeps the port open.
    command = [word if west[at - 1] != "--runner" else runner for at, word in enumerate(west) if word != "--erase"]
    recover = shlex.join([*command, "--recover"])
    return f": the chip is locked (APPROTECT): `{recover}` unlocks and writes it, and {_ERASES}{missing}"


def _hidden(west: Sequence[str]) -> str:
    """Return how to see what J-Link's program says, which west's runner hides."""
    if "jlink" not in west:
        return ""
    shown = shlex.join([west[0], "-v", *west[1:]])
    return f": `{shown}` shows what J-Link says; docs/zephyr.md has the cure of a locked chip"
