"""Where copies end and look-alikes begin: pairs found by the cosine of what codes decode to.

Pictures are embedded with `nano`, as they are and as copies of four kinds: mirrored, the middle 90 % of each side,
JPEG at quality 30, and half the size. A pair of one picture's versions is right, any other pair is wrong.
Pictures of one source resemble each other, as those of one camera do, so false pairs are told by the million too.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

import output
import sememe
from sememe.types import Embeddings

LENGTHS = (8, 16, 32, 64)
THRESHOLDS = (*(round(0.5 + 0.025 * i, 3) for i in range(16)), 0.9, 0.92, 0.94, 0.96, 0.97, 0.98, 0.99)
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


def pictures(folder: Path, n: int) -> list[Image.Image]:
    """Read n pictures that are large enough to be halved."""
    from pyarrow import parquet

    found: list[Image.Image] = []
    for row in parquet.read_table(folder / "train-000.parquet", columns=["jpg"])["jpg"].to_pylist():
        image = Image.open(io.BytesIO(row))
        if min(image.size) >= 128 and len(found) < n:
            found.append(image.convert("RGB"))
    return found


def judge(x: Embeddings, owner: NDArray[np.int64], kind: NDArray[np.int64]) -> list[dict[str, Any]]:
    """Precision, recall in all and by kind of copy, and false pairs a million, at each threshold."""
    upper = np.triu_indices(len(x), 1)
    cosines = (x @ x.T)[upper]
    same = owner[upper[0]] == owner[upper[1]]
    with_original = same & (kind[upper[0]] == 0)
    rows = []
    for threshold in THRESHOLDS:
        found = cosines >= threshold
        right = int((found & same).sum())
        rows.append(
            {
                "threshold": threshold,
                "precision": round(right / max(1, int(found.sum())), 4),
                "recall": round(right / int(same.sum()), 4),
                "false_per_million": round(float(found[~same].mean()) * 1e6, 2),
                "recall_with_original": {
                    name: round(float(found[with_original & (kind[upper[1]] == k)].mean()), 4)
                    for k, name in enumerate(COPIES, start=1)
                },
            }
        )
    return rows


def main() -> None:
    """Measure and print."""
    parser = output.parser(__doc__)
    args = parser.parse_args()
    originals = pictures(args.data / "images", COPIED + OTHERS)
    output.note(f"{len(originals)} pictures")
    copies = [[change(image) for image in originals[:COPIED]] for change in COPIES.values()]
    codec = sememe.load("nano")
    x = codec.backbone.embed_images(originals + [image for group in copies for image in group])
    kind = np.repeat(np.arange(1 + len(COPIES)), [len(originals)] + [COPIED] * len(COPIES))
    owner = np.concatenate([np.arange(len(originals)), *[np.arange(COPIED)] * len(COPIES)])
    background = codec.space.background(None)
    codes = codec.profile.encode(x, max(LENGTHS))
    decoded = {str(n): codec.profile.decode(codes[:, :n]) for n in LENGTHS} | {"float": x}
    result = {
        "pictures": len(originals),
        "copied": COPIED,
        "copies_each": len(COPIES),
        "profile": codec.profile.profile_id,
        "centred_cosine": {n: judge(background.centre(y, "image"), owner, kind) for n, y in decoded.items()},
        "cosine": {n: judge(y, owner, kind) for n, y in decoded.items()},
    }
    output.emit(result, args.output)


if __name__ == "__main__":
    main()
