"""Write ``host/wire.py`` and ``protocol/pnc_wire.h`` from ``wire.toml``.

``python protocol/generate.py`` writes both; ``--check`` writes nothing and fails if one of them is stale.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT))

from protocol.c_writer import c_header  # noqa: E402
from protocol.definition import load  # noqa: E402
from protocol.python_writer import python_module  # noqa: E402


def main(arguments: list[str]) -> int:
    """Write the generated files, or with ``--check`` compare them."""
    definition = load(HERE / "wire.toml")
    texts = {
        ROOT / "host" / "wire.py": python_module(definition),
        HERE / "pnc_wire.h": c_header(definition),
    }
    stale = [p for p, text in texts.items() if not p.exists() or p.read_text(encoding="utf-8") != text]
    if "--check" in arguments:
        for path in stale:
            print(f"{path.name} is stale: run `python protocol/generate.py`", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        path.write_text(texts[path], encoding="utf-8")
    return 0


if __name__ == "__main__":
    from tests import goal

    goal.run("protocol", lambda: main(sys.argv[1:]))
