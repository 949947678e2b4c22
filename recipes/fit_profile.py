"""Fit the profiles that ship with the package: `python -m recipes.fit_profile clip-vit-b32`.

    vectors ──► tables ──► src/sememe/data/profiles/NAME.safetensors

`clip-vit-b32` learns from the CLIP vectors in `../shared/data/vectors`, but for the test rows of the
benchmark (`bench/split.py`); `nano` from the vectors that `python -m recipes.nano.embed` wrote. Runs in a
minute or two.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sememe import backbones
from sememe.profile import Profile, load, shipped_path
from sememe.types import Json

from .nano.embed import load_vectors, manifest

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
FIT_SETS = ("caltech101", "dtd", "fgvc", "oxford_pets", "sun397", "food101", "imagenet", "eurosat")
WHOLE_SETS = ("flickr8k_1000", "unlabelled_500", "cifar10_500")
VOCABULARIES = ("objects365", "openimages")

Vectors = NDArray[np.floating]


def clip_vit_b32(data: Path) -> tuple[Vectors, Vectors, dict[str, Json]]:
    """All vectors but `test_x` of the sets that the benchmark tests on."""
    parts, counts = [], {}
    for name in FIT_SETS + WHOLE_SETS:
        file = np.load(data / "vectors" / f"{name}.npz")
        wanted = ("test_x",) if name in WHOLE_SETS else ("val_x", "shots_x", "extra_x")
        rows = np.concatenate([file[part] for part in wanted if part in file])
        parts.append(rows.astype(np.float32))
        counts[name] = len(rows)
    text = np.concatenate([np.load(data / "text" / f"{name}.npz")["x"] for name in VOCABULARIES])
    manifest: dict[str, Json] = {
        "profile_id": "clip-vit-b32",
        "space_id": "openai/clip-vit-base-patch32",
        "backbone_id": "clip-vit-b32",
        "preprocessing": {
            "crop": "center",
            "interpolation": "bicubic",
            "mean": [0.48145466, 0.4578275, 0.40821073],
            "mode": "RGB",
            "size": 224,
            "std": [0.26862954, 0.26130258, 0.27577711],
        },
        "provenance": {"vectors": counts, "text": list(VOCABULARIES)},
    }
    return np.concatenate(parts), text.astype(np.float32), manifest


def nano(cache: Path) -> tuple[Vectors, Vectors, dict[str, Json]]:
    """The built-in backbone's vectors of its training pictures, and of names of visible things."""
    x, text = load_vectors(cache, "all")
    x = x[~np.isnan(x[:, 0])]
    return x, text, manifest(backbones.load("nano"), vectors={"pictures": len(x)})


def main() -> None:
    """Fit one profile and put it into the package."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", choices=["clip-vit-b32", "nano"])
    parser.add_argument("--data", type=Path, default=DATA, help="folder with vectors/ and text/")
    parser.add_argument("--cache", type=Path, help="nano: where `python -m recipes.nano.embed` wrote vectors")
    args = parser.parse_args()
    if args.name == "nano" and not args.cache:
        parser.error("nano needs --cache, where `python -m recipes.nano.embed` wrote its vectors")
    x, text, about = clip_vit_b32(args.data) if args.name != "nano" else nano(args.cache)
    profile = Profile.fit(x, text, manifest=about, progress=lambda line: print(line, file=sys.stderr))
    path = shipped_path(args.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    profile.save(path)
    size = path.stat().st_size / 1e6
    print(f"{path.name}: {len(x)} vectors, {size:.2f} MB, fingerprint {load(args.name).fingerprint.hex()}")


if __name__ == "__main__":
    main()
