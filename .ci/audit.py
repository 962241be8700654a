"""Audit what is published and what is installed: licences, the list of packages, and their known weaknesses.

    make audit

- ``reuse lint``: each file has a licence and a copyright, and the text of each licence is in LICENSES/. The list is
  build/licences.spdx.
- ``cyclonedx-py``: build/sbom.json lists the installed packages with their licences (a software bill of materials).
- ``pip-audit``: looks up the packages of locks/ in the Python package index's list of known weaknesses. Without a
  network it cannot; the last line then says so.

Exit status: 1 if a licence is missing, a package has a known weakness, or the list cannot be made.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
#: Time limit of each program, s. The index is asked once for each package.
LIMIT_S = 600
#: What pip-audit's errors have in them when the list cannot be reached.
UNREACHABLE = re.compile("connect|resolve|timed? ?out|unreachable|proxy|network", re.IGNORECASE)


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program of this environment, and return its status and output."""
    command = [str(Path(sys.executable).with_name(program)), *arguments]
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, "", f"timed out after {LIMIT_S} s")


def licences() -> tuple[bool, str]:
    """Check that each file has a licence; list them in build/licences.spdx."""
    checked = run("reuse", "lint", "--json")
    if not checked.stdout.startswith("{"):
        return False, f"reuse failed: {_last_line(checked.stderr)}"
    found = json.loads(checked.stdout)
    summary, used = found["summary"], ", ".join(sorted(found["summary"]["used_licenses"]))
    listed = run("reuse", "spdx", "--output", str(BUILD / "licences.spdx"))
    if not summary["compliant"] or listed.returncode:
        print(run("reuse", "lint").stdout.strip(), _last_line(listed.stderr), sep="\n")
    return summary["compliant"] and not listed.returncode, f"{summary['files_total']} files, licences {used}"


def packages() -> tuple[bool, str]:
    """List the installed packages with their licences in build/sbom.json."""
    path = BUILD / "sbom.json"
    made = run(
        *("cyclonedx-py", "environment", "--pyproject", "pyproject.toml", "--output-reproducible"),
        *("--output-file", str(path), sys.executable),
    )
    if made.returncode:
        return False, f"no list of packages: {_last_line(made.stderr)}"
    components = json.loads(path.read_text())["components"]
    named = sum(bool(component.get("licenses")) for component in components)
    return True, f"{len(components)} packages in {path.relative_to(ROOT)}, {named} of them name their licence"


def weaknesses() -> tuple[bool, str]:
    """Look up the locked packages in the index's list of known weaknesses, first one alone: some mirrors have none."""
    for files in (("locks/torch.txt",), ("locks/torch.txt", "locks/packages.txt")):
        asked = run(
            *("pip-audit", "--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json"),
            *(word for file in files for word in ("-r", file)),
        )
        if not asked.stdout.startswith("{"):
            why = _last_line(asked.stderr)
            return bool(UNREACHABLE.search(why)), f"known weaknesses NOT CHECKED: {why}"
        found = json.loads(asked.stdout)["dependencies"]
        skipped = [each for each in found if "skip_reason" in each]
        if len(skipped) == len(found):
            return True, "known weaknesses NOT CHECKED: the package index of this computer has no list of them"
    weak = [each for each in found if each.get("vulns")]
    for each in weak:
        known = ", ".join(
            f"{v['id']} (mended in {', '.join(v['fix_versions']) or 'no release'})" for v in each["vulns"]
        )
        print(f"audit: {each['name']} {each['version']}: {known}")
    for each in skipped:
        print(f"audit: {each['name']}: not checked: {each['skip_reason']}")
    return not weak, f"{len(found) - len(skipped)} locked packages checked, {len(weak)} with known weaknesses"


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it said nothing"])[-1][:200]


def main() -> int:
    """Run all three, print a line for each, and return the exit status."""
    BUILD.mkdir(exist_ok=True)
    results = [licences(), packages(), weaknesses()]
    for _, line in results:
        print(f"audit: {line}")
    return 0 if all(good for good, _ in results) else 1


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    from tests import goal

    goal.run("audit", main)
