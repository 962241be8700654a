"""Starting commands: as scripts and modules, with their versions and helps, and from a checkout that is not set up."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import host
from host.cli.start import COMMANDS

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60
#: Packages that not every installation has, and that no command's help may need.
OPTIONAL = ("onnxruntime", "onnx", "torch", "bleak", "matplotlib", "pillow_jxl", "ai_edge_litert")
WITHOUT_OPTIONAL = f"import sys; sys.modules.update(dict.fromkeys({OPTIONAL!r})); "
SCRIPT = "import sys; from pnc_link.cli.start import {0}; sys.argv[0] = 'bin/pnc-{0}'; sys.exit({0}())"
AS_MODULE = "import runpy; runpy.run_module('host.{0}', run_name='__main__', alter_sys=True)"


def run(*command: str, folder: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_version_is_printed_in_both_ways_of_starting(name: str) -> None:
    for command in (["-m", f"host.{name}"], ["-c", SCRIPT.format(name)]):
        done = run(*command, "--version")
        assert (done.returncode, done.stdout, done.stderr) == (0, f"pnc-{name} {host.__version__}\n", "")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_needs_no_optional_package_and_names_the_way_of_starting(name: str) -> None:
    by_module = run("-c", WITHOUT_OPTIONAL + AS_MODULE.format(name), "--help")
    assert by_module.returncode == 0, by_module.stderr
    assert by_module.stdout.startswith(f"usage: python -m host.{name} ")
    by_script = run("-c", SCRIPT.format(name), "--help")
    assert by_script.stdout.startswith(f"usage: pnc-{name} ")
    assert "--version" in by_script.stdout
    assert "python -m host" not in by_script.stdout


def test_wrong_usage_names_the_way_of_starting() -> None:
    by_module, by_script = run("-m", "host.send"), run("-c", SCRIPT.format("send"))
    assert by_module.stderr.endswith("(`python -m host.send --help` lists the options)\n")
    assert by_script.stderr.endswith("(`pnc-send --help` lists the options)\n")
    assert by_module.returncode == by_script.returncode == 2


def test_advice_names_commands_as_the_user_starts_them() -> None:
    program = "import sys; sys.argv = {0!r}; from host.cli import start; print(start.as_started({1!r}))"
    text = "see `python -m host.boards list`, `python -m host.nothing`"
    for argv, shown in (["/usr/bin/pnc-send"], "pnc-boards list"), (["host/send.py"], "python -m host.boards list"):
        assert run("-c", program.format(argv, text)).stdout == f"see `{shown}`, `python -m host.nothing`\n"


def test_every_command_has_its_script() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert scripts == {f"pnc-{name}": f"pnc_link.cli.start:{name}" for name in COMMANDS}


@pytest.mark.parametrize("package", ["host", "pnc_link"])
def test_the_package_lists_the_commands(package: str) -> None:
    done = run("-m", package)
    start = "python -m host." if package == "host" else "pnc-"
    assert re.findall(rf"^  {re.escape(start)}(\w+)  +\w", done.stdout, re.MULTILINE) == list(COMMANDS)
    assert run("-m", package, "--version").stdout == f"pnc-link {host.__version__}\n"
    refused = run("-m", package, "send")
    assert refused.returncode == 2
    assert f"`python -m {package}.send`" in refused.stderr


def test_version_imports_next_to_nothing() -> None:
    done = run("-X", "importtime", "-c", SCRIPT.format("send"), "--version")
    ours = re.findall(r"\| +(pnc_link\S*)", done.stderr)
    modules = ("version", "text", "print_queue", "printing", "cli", "cli.shortage", "cli.start")
    assert set(ours) == {"pnc_link", *(f"pnc_link.{module}" for module in modules)}
    assert not re.search(r"\| +(numpy|argparse|asyncio|serial)\b", done.stderr)


#: train reads its arguments first, and timeline needs no package.
NEED_LITTLE = ("train", "timeline")


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in NEED_LITTLE])
def test_a_checkout_that_is_not_set_up_names_make_send(name: str) -> None:
    # -S leaves out site-packages, and with them numpy, cffi and the others.
    done = run("-S", "-m", f"host.{name}", "x.jpg", PYTHONPATH="")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith(f"{name}: ")
    assert "`make send`" in done.stderr


def test_without_the_compiled_part_the_line_is_the_same() -> None:
    done = run("-c", "import sys; sys.modules['host.board._core'] = None; " + AS_MODULE.format("recv"))
    assert done.returncode == 1
    assert done.stderr.startswith("recv: the compiled part of this package is not installed")
    assert done.stderr.count("\n") == 1


def test_an_error_in_the_package_itself_is_not_taken_for_a_missing_package() -> None:
    done = run("-c", "import sys; sys.modules['host.cli.units'] = None; " + AS_MODULE.format("send"))
    assert "Traceback" in done.stderr


def test_the_firmware_has_the_version_of_the_package() -> None:
    text = (ROOT / "firmware" / "VERSION").read_text()
    numbers = dict(re.findall(r"^(\w+) = ([0-9]+)$", text, re.MULTILINE))
    parts = [numbers[name] for name in ("VERSION_MAJOR", "VERSION_MINOR", "PATCHLEVEL")]
    assert ".".join(parts) == host.__version__


def test_a_virtual_board_has_the_version_of_the_package() -> None:
    from host.board.core import FIRMWARE

    assert ".".join(map(str, FIRMWARE)) == host.__version__


def test_numpy_gets_one_thread_before_it_is_imported_unless_the_user_says_otherwise() -> None:
    program = (
        "import os, sys; from host.cli.start import start_command; start_command('recv'); "
        "print(os.environ['OPENBLAS_NUM_THREADS'], 'numpy' in sys.modules)"
    )
    assert run("-c", program, "--version").stdout.splitlines()[-1] == "1 False"
    assert run("-c", program, "--version", OPENBLAS_NUM_THREADS="4").stdout.splitlines()[-1] == "4 False"
