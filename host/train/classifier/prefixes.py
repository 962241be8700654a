"""Writes decoded prefixes with a teacher's answers, for training in any framework. Needs no torch."""

from __future__ import annotations

import io
import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ...codec import Codec, Decoder, cut
from ...codec import load as load_codec
from ...codec.weights import kind_of
from ...edge import classifier
from ...printing import show
from ...reference.efficientnet import published
from ..files import make_folder, write
from ..passes import draw_sizes
from ..photos import TrainingError, load_photos, read_photo
from .goals import ClassifierTeacher, Teacher
from .parts import SHORT_SIDE, Pictures, draw_part
from .recipe import ClassifierRecipe

INDEX = "index.json"
CROPS_PER_FILE = 64
#: Prefixes of a crop: one of few bytes, the others spread up to the recipe's most.
PREFIXES = 4


def export_prefixes(
    data: Path,
    out: Path,
    resume: bool,
    threads: int,
    network: str | None = None,
    crops: int | None = None,
    recipe: ClassifierRecipe | None = None,
) -> None:
    """Write files of crops, their decoded prefixes and the answers for the originals.

    Args:
        data: folder of photos.
        out: folder for the files.
        resume: keep the files that are there, and write the others.
        threads: number of threads of the decoder.
        network: the teacher: "module:function" as for ``own.load_network``, or an ONNX file; None for the recipe's.
        crops: number of crops; None for one of each photo.
        recipe: the sizes of prefixes and crops.

    Raises:
        TrainingError, ClassifierError: a problem that the user can fix.
        KeyboardInterrupt: the export was stopped; it can be continued.
    """
    recipe = recipe or ClassifierRecipe()
    index = out / INDEX
    known = _read(index) if resume else {}
    if not resume and index.exists():
        raise TrainingError(f"{index}: already exists; continue with --resume, or give another --export")
    teacher = _teacher(network, recipe, threads)
    photos, source = load_photos(data, partial(read_photo, short_side=SHORT_SIDE))
    show(f"{len(photos)} photos, {source.broken} broken files left out")
    total = len(photos) if crops is None else crops
    kind = kind_of(recipe.codec)
    facts = {
        "photos": source.identity,
        "codec": f"{kind.name} version {kind.version}",
        "teacher": network or " and ".join(recipe.teachers),
        "crops": total,
        "crops_per_file": CROPS_PER_FILE,
        "prefixes_per_crop": PREFIXES,
        "seed": recipe.seed,
    }
    for name, ours in facts.items() if resume else ():
        if known.get(name) != ours:
            raise TrainingError(f"{index}: is of an export with {name} {known.get(name)}, not {ours}; give the same")
    make_folder(out)
    write(f"{json.dumps(facts, indent=1)}\n".encode(), index)
    files = [out / f"prefixes-{number:05}.npz" for number in range(-(-total // CROPS_PER_FILE))]
    maker = _Maker(recipe, photos, teacher, threads)
    for number, file in enumerate(files):
        if resume and file.exists():
            continue
        try:
            first = number * CROPS_PER_FILE
            content = maker.file(range(first, min(first + CROPS_PER_FILE, total)))
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                f"stopped; {number} of {len(files)} files are in {out}: continue with --resume"
            ) from None
        write(content, file)
        show(f"wrote {file} ({len(content)} bytes), {number + 1} of {len(files)}")


def _read(index: Path) -> dict[str, Any]:
    try:
        known = json.loads(index.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise TrainingError(f"{index}: no export to continue; leave out --resume to start one") from None
    except (OSError, ValueError) as error:
        raise TrainingError(f"{index}: cannot be read ({error})") from error
    if not isinstance(known, dict):
        raise TrainingError(f"{index}: is not the index of an export")
    return known


def _teacher(network: str | None, recipe: ClassifierRecipe, threads: int) -> Teacher:
    if network is None:
        return ClassifierTeacher([published.load(name, threads=threads) for name in recipe.teachers])
    if network.endswith(".onnx"):
        return ClassifierTeacher([classifier.load(network, threads=threads)])
    import torch

    from .own import OwnTeacher, load_network

    torch.set_num_threads(threads)
    return OwnTeacher(load_network(network))


class _Maker:
    """Makes the content of files. That of a file depends on its number and on the photos only."""

    def __init__(self, recipe: ClassifierRecipe, photos: list[Pictures], teacher: Teacher, threads: int) -> None:
        self._recipe, self._photos, self._teacher = recipe, photos, teacher
        self._codec: Codec = load_codec(recipe.codec)
        self._decoder: Decoder = self._codec.decoder(threads=threads)

    def file(self, numbers: range) -> bytes:
        """Return the .npz content of the crops with these numbers."""
        rng = np.random.default_rng([self._recipe.seed, numbers.start])
        chosen = [self._photo(number) for number in numbers]
        originals = np.stack([draw_part(self._photos[photo], self._recipe, rng) for photo in chosen])
        prefixes, sizes = zip(*(self._prefixes(original, rng) for original in originals), strict=True)
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            originals=originals,
            answers=self._teacher.goals(originals).answers,
            photos=np.array(chosen, np.int32),
            prefixes=np.stack(prefixes),
            size_bytes=np.array(sizes, np.int32),
        )
        return buffer.getvalue()

    def _photo(self, number: int) -> int:
        """Return the photo of a crop: every photo once, in an order of chance, then every photo again."""
        passes, place = divmod(number, len(self._photos))
        return int(np.random.default_rng([self._recipe.seed, passes]).permutation(len(self._photos))[place])

    def _prefixes(self, original: Pictures, rng: np.random.Generator) -> tuple[Pictures, list[int]]:
        """Return a crop's decoded prefixes and their bytes; a stream may have fewer than were drawn."""
        r = self._recipe
        tiny = draw_sizes(rng, 1, r.fewest_bytes, r.tiny_most_bytes)
        more = draw_sizes(rng, PREFIXES - 1, r.tiny_most_bytes, r.most_bytes)
        stream = self._codec.encode(original)
        streams = [cut(stream, round(size)) for size in sorted((*tiny, *more))]
        decoded = np.stack([each.picture for each in self._decoder.decode_batch(streams)])
        return decoded, [sum(len(packet.data) for packet in each) for each in streams]
