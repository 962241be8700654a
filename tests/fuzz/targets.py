"""The fuzz targets: how each is built, and the inputs that were found for it."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.core.core_build import HERE as CORE_TESTS
from tests.core.core_build import STRICT, compile_or_fail, sources

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
NATIVE = ROOT / "host" / "codec" / "native"
CODEC_TESTS = ROOT / "tests" / "codec" / "native"
#: Targets of the codec; the others are the core's.
CODEC = ("fuzz_decode.c", "fuzz_encode.c")
#: One archive a target: the inputs that reach all that is known to be reached, minimised.
CORPORA = HERE / "corpora"
#: One folder a target: inputs that once failed, each named after the fault.
REGRESSIONS = HERE / "regressions"
INCLUDES = [
    f"-I{path}" for path in (ROOT / "firmware" / "core" / "include", ROOT / "protocol", CORE_TESTS, NATIVE, CODEC_TESTS)
]
SANITIZERS = {
    "address": ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"],
    "memory": ["-fsanitize=memory", "-fno-sanitize-recover=all"],
}


@dataclass(frozen=True)
class Target:
    """A program that is given inputs.

    Attributes:
        name: Of fuzz_NAME.c.
        longest: Bytes of the longest input that is tried.
        defines: Sizes of the core; small ones fill up sooner.
    """

    name: str
    longest: int
    defines: tuple[str, ...] = ()

    @property
    def source(self) -> Path:
        """The file that defines LLVMFuzzerTestOneInput."""
        return HERE / f"fuzz_{self.name}.c"

    def build(self, command: Sequence[str], at: Path, *, fuzzer: bool = False) -> Path:
        """Compile the target with the core and the codec, for libFuzzer or to replay files; return the program."""
        main = ["-fsanitize=fuzzer"] if fuzzer else [HERE / "fuzz_main.c"]
        library = self._library([*command, *(["-fsanitize=fuzzer-no-link"] if fuzzer else [])], at.parent)
        compile_or_fail([*command, *STRICT, *self.defines, *INCLUDES, *main, self.source, library, "-o", at])
        return at

    def _library(self, command: Sequence[str], folder: Path) -> Path:
        """Compile the code that is tested, once for all targets of that folder with the same sizes."""
        codec = self.source.name in CODEC
        name = "_".join(["codec" if codec else "core", *self.defines]).replace("=", "-")
        library = folder / f"{name}.a"
        if not library.exists():
            objects = folder / f"{name}-objects"
            objects.mkdir()
            codes = sorted(NATIVE.glob("*.c")) if codec else sources()
            compile_or_fail([*command, *STRICT, *self.defines, *INCLUDES, "-c", *codes], cwd=objects)
            compile_or_fail(["ar", "rcs", library, *sorted(objects.glob("*.o"))])
        return library

    @property
    def corpus(self) -> Path:
        """The archive of inputs."""
        return CORPORA / f"{self.name}.zip"

    def unpack(self, folder: Path) -> list[Path]:
        """Write the corpus and the regressions to ``folder``, one file an input, and return them."""
        folder.mkdir(parents=True, exist_ok=True)
        found = []
        if self.corpus.exists():
            with zipfile.ZipFile(self.corpus) as archive:
                archive.extractall(folder)
                found += [folder / name for name in archive.namelist()]
        for path in sorted((REGRESSIONS / self.name).glob("*")):
            found.append(folder / path.name)
            found[-1].write_bytes(path.read_bytes())
        return found

    def pack(self, inputs: Sequence[Path]) -> None:
        """Write the archive. The same inputs give the same bytes."""
        CORPORA.mkdir(exist_ok=True)
        texts = sorted({path.read_bytes() for path in inputs}, key=lambda text: (len(text), text))
        with zipfile.ZipFile(self.corpus, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for number, text in enumerate(texts):
                archive.writestr(zipfile.ZipInfo(f"{number:04d}"), text, zipfile.ZIP_DEFLATED, 9)


TARGETS = {
    target.name: target
    for target in (
        Target("packets", 260),
        Target("frame", 512),
        Target("queue", 200, ("-DPNC_QUEUE_SLOTS=5u",)),
        Target("control", 200, ("-DPNC_CONTROL_SLOTS=4u", "-DPNC_SENT_FRAMES=3u")),
        Target("completion", 200),
        Target("board", 256),
        Target("boards", 256),
        Target("decode", 200),
        Target("encode", 200),
    )
}
