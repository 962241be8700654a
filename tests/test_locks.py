"""locks/ has every package that an extra asks for, at one version that fits, with its digests."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

packaging = pytest.importorskip("packaging.requirements", reason="packaging comes with pytest")

ROOT = Path(__file__).parents[1]
DIGEST = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")
NAMES = ("packages.txt", "torch.txt", "cuda.txt")
#: Parts of packages.txt, and the extras of which each has all that they ask for.
PARTS = {"build.txt": (), "container.txt": ("edge", "web", "sealed"), "release.txt": ("release",)}
#: What runs pip for others: the image, the workflows, and cibuildwheel.
RECIPES = (
    ".ci/install",
    "Dockerfile",
    "pyproject.toml",
    *(f".github/workflows/{name}.yml" for name in ("ci", "wheels")),
)


def locked(name: str) -> dict[str, list[str]]:
    """Return the lines of requirements in a file, each with its digests."""
    found: dict[str, list[str]] = {}
    requirement = ""
    for line in (ROOT / "locks" / name).read_text().splitlines():
        if line.startswith(" "):
            assert DIGEST.fullmatch(line), line
            found[requirement].append(line)
        elif not line.startswith("#"):
            requirement = line.removesuffix(" \\")
            found[requirement] = []
    return found


def asked_for() -> list[str]:
    """Return the requirements of the project and of all its extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    return [each for group in (project["dependencies"], *extras) for each in group if not each.startswith("pnc-link[")]


@pytest.mark.parametrize("name", NAMES)
def test_each_package_has_one_version_and_a_digest(name: str) -> None:
    packages = locked(name)
    assert packages
    for requirement, digests in packages.items():
        assert re.match(r"[a-z0-9.-]+==[0-9]", requirement), requirement
        assert digests, requirement


@pytest.mark.parametrize("text", asked_for())
def test_what_an_extra_asks_for_is_locked_at_a_version_that_fits(text: str) -> None:
    asked = packaging.Requirement(text)
    pinned = [packaging.Requirement(each) for name in NAMES for each in locked(name)]
    versions = [next(iter(each.specifier)).version for each in pinned if each.name == asked.name.lower()]
    assert versions
    assert all(asked.specifier.contains(version) for version in versions)


@pytest.mark.parametrize("name", PARTS)
def test_a_part_has_what_the_whole_has_and_all_that_its_extras_ask_for(name: str) -> None:
    whole, part = locked("packages.txt"), locked(name)
    assert part.items() <= whole.items()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = [text for extra in PARTS[name] for text in project["project"]["optional-dependencies"][extra]]
    asked += project["build-system"]["requires"] if name == "build.txt" else project["project"]["dependencies"]
    assert {packaging.Requirement(text).name for text in asked} <= {each.partition("==")[0] for each in part}


@pytest.mark.parametrize("name", RECIPES)
def test_pip_takes_packages_by_their_digests_alone(name: str) -> None:
    text = (ROOT / name).read_text().replace("\\\n", " ")
    runs = re.findall(r"\bpip (?:install|wheel|download)\b[^&;\n\"]*", text)
    assert [run for run in runs if not re.search(r"--require-hashes|--no-index|pip install --quiet", run)] == []
    assert [run for run in runs if "--require-hashes" in run and "--no-deps" not in run] == []


def test_actions_are_pinned_by_commit_and_images_by_release() -> None:
    for path in sorted((ROOT / ".github" / "workflows").glob("*.yml")):
        text = path.read_text()
        uses = re.findall(r"uses: (.*)", text)
        assert uses
        assert [each for each in uses if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v[0-9.]+", each)] == []
        images = re.findall(r"container: (\S+)", text)
        assert [image for image in images if not re.fullmatch(r"debian:[a-z]+-[0-9]{8}", image)] == []


def test_torch_is_locked_at_the_version_of_the_makefile() -> None:
    version = re.search(r"^TORCH \?= (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert version is not None
    assert list(locked("torch.txt")) == [f"torch=={version[1]}"]


def test_no_file_names_a_place_to_download_from() -> None:
    for name in (*NAMES, *PARTS):
        assert "//" not in (ROOT / "locks" / name).read_text()
