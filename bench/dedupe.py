"""Where copies end and look-alikes begin: pairs found by the cosine of what codes decode to.

Pictures are embedded with `nano`, as they are and as copies of four kinds: mirrored, the middle 90 % of each
side, JPEG at quality 30, and half the size: some 64 pixels, fewer than `nano` looks at. A pair of
versions of one picture is right, any other wrong; these are also told by the million, with how many share a
concept.
The photographs of the demo, of 300 to 800 pixels, are copied in the same ways. Then: what comparing in cells
misses of all pairs, and takes, on codes of random pictures and copies of them.
"""

from __future__ import annotations

import io
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

import output
import sememe
from sememe.cli.demo.photos import copy_photos
from sememe.index import duplicates
from sememe.types import Embeddings

LENGTHS = (8, 16, 32, 64)
THRESHOLDS = (0.8, 0.85, 0.9, 0.92, 0.94, 0.95, 0.96, 0.97, 0.975, 0.98, 0.985, 0.99, 0.995)
SIZES = {20_000: True, 40_000: True, 200_000: False}
COPIED, OTHERS = 300, 1500


def half(image: Image.Image) -> Image.Image:
    """Both sides halved."""
    return image.resize((image.width // 2, image.height // 2), Image.Resampling.LANCZOS)


def cropped(image: Image.Image) -> Image.Image:
    """The middle 90 % of each side."""
    x, y = round(image.width * 0.05), round(image.height * 0.05)
    return image.crop((x, y, image.width - x, image.height - y))


def poor(image: Image.Image) -> Image.Image:
    """Saved as JPEG of quality 30."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=30)
    return Image.open(file)


COPIES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "jpeg_30": poor,
    "half": half,
    "mirrored": ImageOps.mirror,
    "cropped_90": cropped,
}


def pictures(folder: Path, n: int) -> tuple[list[Image.Image], NDArray[np.str_]]:
    """Read n pictures that are large enough to be halved, and what they show."""
    from pyarrow import parquet

    found, concepts = [], []
    for row in parquet.read_table(folder / "train-000.parquet", columns=["jpg", "concept"]).to_pylist():
        image = Image.open(io.BytesIO(row["jpg"]))
        if min(image.size) >= 128 and len(found) < n:
            found.append(image.convert("RGB"))
            concepts.append(row["concept"])
    return found, np.array(concepts)


def judge(
    x: Embeddings, owner: NDArray[np.int64], kind: NDArray[np.int64], concepts: NDArray[np.str_]
) -> list[dict[str, Any]]:
    """Precision, recall in all and by kind of copy, and wrong pairs, at each threshold."""
    upper = np.triu_indices(len(x), 1)
    cosines = (x @ x.T)[upper]
    same = owner[upper[0]] == owner[upper[1]]
    alike = concepts[owner[upper[0]]] == concepts[owner[upper[1]]]
    with_original = same & (kind[upper[0]] == 0)
    rows = []
    for threshold in THRESHOLDS:
        found = cosines >= threshold
        right, wrong = int((found & same).sum()), found & ~same
        rows.append(
            {
                "threshold": threshold,
                "precision": round(right / max(1, int(found.sum())), 4),
                "recall": round(right / int(same.sum()), 4),
                "wrong_per_million": round(float(found[~same].mean()) * 1e6, 1),
                "wrong_of_one_concept": round(float(alike[wrong].mean()), 3) if wrong.any() else None,
                "recall_with_original": {
                    name: round(float(found[with_original & (kind[upper[1]] == k)].mean()), 4)
                    for k, name in enumerate(COPIES, start=1)
                },
            }
        )
    return rows


def photographs(codec: sememe.Codec) -> dict[str, Any]:
    """Cosines of the demo's photographs with their copies, at each length."""
    with tempfile.TemporaryDirectory() as folder:
        originals = [Image.open(path).convert("RGB") for path in copy_photos(Path(folder)).values()]
    background = codec.space.background(None)
    versions = [originals, *([change(image) for image in originals] for change in COPIES.values())]
    x = codec.backbone.embed_images([image for version in versions for image in version])
    codes = codec.profile.encode(x, max(LENGTHS))
    found: dict[str, Any] = {"pictures": len(originals)}
    for n in LENGTHS:
        first, *others = np.split(
            background.centre(codec.profile.decode(codes[:, :n]), "image"), len(versions)
        )
        cosines = np.stack([(first * other).sum(axis=1) for other in others])
        found[str(n)] = {str(t): round(float((cosines >= t).mean()), 4) for t in THRESHOLDS}
    return found


def cells(codec: sememe.Codec) -> list[dict[str, Any]]:
    """Time in cells and all with all, and the pairs that cells find of all."""
    background, rows = codec.space.background(None), []
    for n, compared in SIZES.items():
        rng = np.random.default_rng(n)
        codes = rng.integers(0, 256, (n, 32), np.uint8)
        codes[: n // 10, :24] = codes[n // 10 : n // 5, :24]  # the same as far as 24 bytes tell
        source = codec.read(codes)
        row: dict[str, Any] = {"codes": n}
        for name, exact in ({"cells": False} | ({"exact": True} if compared else {})).items():
            started = time.process_time()
            pairs = duplicates.near_pairs(source, background, exact=exact)
            row[f"{name}_cpu_s"] = round(time.process_time() - started, 1)
            row[f"{name}_pairs"] = len(pairs.worse)
        output.note(str(row))
        rows.append(row)
    return rows


def main() -> None:
    """Measure and print."""
    parser = output.parser(__doc__)
    args = parser.parse_args()
    codec = sememe.load("nano")
    duplicates.FEW = 0  # cells at every size
    sizes = cells(codec)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    originals, concepts = pictures(args.data / "images", COPIED + OTHERS)
    output.note(f"{len(originals)} pictures")
    full_size = photographs(codec)
    copies = [[change(image) for image in originals[:COPIED]] for change in COPIES.values()]
    x = codec.backbone.embed_images(originals + [image for group in copies for image in group])
    kind = np.repeat(np.arange(1 + len(COPIES)), [len(originals)] + [COPIED] * len(COPIES))
    owner = np.concatenate([np.arange(len(originals)), *[np.arange(COPIED)] * len(COPIES)])
    background = codec.space.background(None)
    codes = codec.profile.encode(x, max(LENGTHS))
    decoded = {str(n): codec.profile.decode(codes[:, :n]) for n in LENGTHS} | {"float": x}
    found = {n: judge(background.centre(y, "image"), owner, kind, concepts) for n, y in decoded.items()}
    result = {
        "pictures": len(originals),
        "copied": COPIED,
        "copies_each": len(COPIES),
        "profile": codec.profile.profile_id,
        "bytes": found,
        "photographs_recall": full_size,
        "cells": sizes,
        "cells_peak_mb": round(memory),
    }
    output.emit(result, args.output)


if __name__ == "__main__":
    main()
