"""How far the pictures that `draw`, the built-in generator, makes of codes are related to the originals.

Pictures that it never learned from: some of sources that it knows, and some of two sources left out whole.
Of each generated picture nano says how near it is to the original, and a MobileNet that neither coded nor
guided says what it shows. Chance is what they say of wrong pairs: all of them, not a sample.

    OMP_NUM_THREADS=1 python bench/draw.py --pictures 200 -o results/draw.json
"""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import output
from sememe.backbones.nano import NanoBackbone
from sememe.bitstream.colours import measure, pack_colours, paint
from sememe.evaluate.imagecodecs import centre_square
from sememe.generate.own import DrawGenerator
from sememe.profile import load

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from recipes.draw.data import split  # noqa: E402
from recipes.nano.data import read_jpegs, read_pictures, shards  # noqa: E402

JUDGE = "mobilenet_v2_1.0_224_quant.tflite"
"""Not nano's teacher, which is another MobileNet."""

SIDE, TOP, GRID = 64, 5, 8
KNOWN, UNSEEN = "sources it knows", "sources it never saw"

Floats = NDArray[np.floating]


@dataclass(frozen=True)
class Way:
    """One way to draw."""

    nbytes: int
    colours: bool = False
    best_of: int = 1
    steps: int | None = None


WAYS = {
    "16 bytes": Way(16),
    "16 bytes, best of 4": Way(16, best_of=4),
    "16 bytes and colours": Way(16, colours=True),
    "4 bytes": Way(4),
    "8 bytes": Way(8),
    "64 bytes": Way(64),
    "16 bytes, one step": Way(16, steps=1),
}
BOTH = list(WAYS)[:3]
"""What is also tried on the sources left out; the other ways on the known ones alone."""


class Judge:
    """An ImageNet classifier on one thread."""

    def __init__(self, path: Path) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._run = Interpreter(model_path=str(path), num_threads=1)
        self._run.allocate_tensors()
        self._input, self._output = (
            d[0]["index"] for d in (self._run.get_input_details(), self._run.get_output_details())
        )

    def first(self, images: Sequence[Image.Image]) -> NDArray[np.intp]:
        """Return the TOP likeliest classes of each picture, the likeliest first."""
        return np.stack([np.argsort(-self._said(image).astype(int), kind="stable")[:TOP] for image in images])

    def _said(self, image: Image.Image) -> NDArray[np.uint8]:
        pixels = np.asarray(image.resize((224, 224), Image.Resampling.BICUBIC))
        self._run.set_tensor(self._input, pixels[None])
        self._run.invoke()
        said: NDArray[np.uint8] = self._run.get_tensor(self._output)[0]
        return said


@dataclass(frozen=True)
class Originals:
    """Pictures, and all that is ever asked of them."""

    images: list[Image.Image]
    squares: NDArray[np.uint8]
    vectors: Floats
    classes: NDArray[np.intp]

    @classmethod
    def of(cls, images: list[Image.Image], nano: NanoBackbone, judge: Judge) -> Originals:
        """Look at centre squares."""
        squares = np.stack([np.asarray(i.resize((SIDE, SIDE), Image.Resampling.BICUBIC)) for i in images])
        return cls(images, squares, nano.embed_images(images), judge.first(images))

    def layouts(self) -> list[bytes]:
        """Code the colour layout of each."""
        return [pack_colours(steps) for steps in measure(self.squares)]


def compare(
    originals: Originals, drawn: Sequence[Image.Image], nano: NanoBackbone, judge: Judge
) -> dict[str, Any]:
    """Say how drawn pictures and originals agree, and how they would by chance."""
    cosines = originals.vectors @ nano.embed_images(drawn).T
    classes = judge.first(drawn)
    shared = (originals.classes[:, None, :, None] == classes[None, :, None, :]).any(
        -1
    )  # original, drawn, TOP
    means = [blocks(np.stack([np.asarray(i) for i in part])) for part in (originals.squares, drawn)]
    colours = np.abs(means[0][:, None] - means[1][None]).mean((-1, -2, -3))
    found: dict[str, Any] = {}
    for name, pairs in {
        "cosine": cosines,
        "judge_overlap": shared.mean(-1),
        "judge_first": shared[..., 0].astype(float),
        "colour_error": colours,
    }.items():
        right = np.eye(len(pairs), dtype=bool)
        found[name] = output.rounded({"drawn": pairs[right].mean(), "chance": pairs[~right].mean()})
    found["cosine"]["above_chance"] = round(found["cosine"]["drawn"] - found["cosine"]["chance"], 4)
    for name in ("judge_overlap", "judge_first"):
        found[name]["times_chance"] = round(found[name]["drawn"] / found[name]["chance"], 2)
    return found


def blocks(squares: NDArray[np.uint8]) -> Floats:
    """Mean colours of 8 x 8 blocks: (n, 8, 8, 3)."""
    side = squares.shape[1] // GRID
    means: Floats = squares.reshape(-1, GRID, side, GRID, side, 3).mean((2, 4))
    return means


def draw(
    originals: Originals, way: Way, generator: DrawGenerator, nano: NanoBackbone
) -> Iterator[Image.Image]:
    """Draw one picture for each original; of several candidates the one nearest to its vector is kept."""
    profile = load("nano")
    decoded = profile.decode(profile.encode(originals.vectors, way.nbytes))
    layouts = originals.layouts() if way.colours else [None] * len(decoded)
    for i, (row, layout) in enumerate(zip(decoded, layouts, strict=True)):
        rows = np.repeat(row[None], way.best_of, axis=0)
        images = generator.generate(rows, seed=1000 * i, steps=way.steps, colours=layout)
        chosen = 0 if way.best_of == 1 else int(np.argmax(nano.embed_images(images) @ row))
        yield images[chosen]


def held_out(folder: Path, count: int) -> dict[str, list[Image.Image]]:
    """Return centre squares of pictures that nothing learned from, `count` of each kind."""
    pictures = read_pictures(folder)
    parts = split(pictures)
    unseen = np.random.default_rng(0).permutation(parts["unseen"])
    wanted = {KNOWN: parts["test"][:count], UNSEEN: unseen[:count]}
    rows = {int(row) for part in wanted.values() for row in part}
    found: dict[int, Image.Image] = {}
    first = 0
    for shard in shards(folder):
        jpegs = read_jpegs(shard)
        for row in rows & set(range(first, first + len(jpegs))):
            found[row] = centre_square(Image.open(io.BytesIO(jpegs[row - first])).convert("RGB"))
        first += len(jpegs)
    return {name: [found[int(row)] for row in part] for name, part in wanted.items()}


def speed(originals: Originals, generator: DrawGenerator) -> dict[str, float]:
    """Return seconds a picture, by the clock and of processor."""
    clock, processor = time.perf_counter(), time.process_time()
    list(islice(draw(originals, Way(16), generator, NanoBackbone()), 10))
    return output.rounded(
        {"clock_s": (time.perf_counter() - clock) / 10, "processor_s": (time.process_time() - processor) / 10}
    )


def main() -> None:
    """Measure and print."""
    parser = output.parser(__doc__)
    parser.add_argument("--pictures", type=int, default=200, help="of each kind")
    args = parser.parse_args()
    nano, judge, generator = NanoBackbone(), Judge(args.data / "teachers" / JUDGE), DrawGenerator()
    report: dict[str, Any] = {"pictures": args.pictures, "judge": JUDGE, "kinds": {}}
    for kind, images in held_out(args.data / "images", args.pictures).items():
        originals = Originals.of(images, nano, judge)
        report["colour_bytes"] = round(float(np.mean([len(v) for v in originals.layouts()])), 2)
        rows = {
            "the original at 64 x 64": [Image.fromarray(s) for s in originals.squares],
            "colours alone, painted": [Image.fromarray(s) for s in paint(measure(originals.squares))],
        }
        found = {name: compare(originals, drawn, nano, judge) for name, drawn in rows.items()}
        for name in BOTH if kind == UNSEEN else WAYS:
            found[name] = compare(originals, list(draw(originals, WAYS[name], generator, nano)), nano, judge)
            output.note(f"{kind}, {name}: {found[name]}")
        report["kinds"][kind] = found
    report["seconds"] = speed(originals, generator)
    folder = ROOT / "src" / "sememe" / "data" / "draw"
    report["megabytes"] = round(sum(p.stat().st_size for p in folder.iterdir()) / 1e6, 2)
    output.emit(report, args.output)


if __name__ == "__main__":
    main()
