"""What the recipe learns from: centre squares of 64 pixels, and what nano's codes say of them."""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import numpy as np
from PIL import Image
from recipes.nano.data import Pictures, centre_box, read_jpegs, shards
from recipes.nano.measure import open_jpeg

from sememe.backbones.nano import NanoBackbone
from sememe.profile import load

SIDE = 64
LENGTHS = (4, 6, 8, 12, 16, 24, 32, 64)
"""Lengths in bytes of the codes whose decoded vectors steer the network in training."""

UNSEEN_SOURCES = ("corel1k", "dogcat_small")
"""Whole sources that nothing in this recipe learns from or is chosen on."""
UNSEEN_PICTURES = 1000
"""Pictures of the other sources that nothing learns from; half of them choose the settings."""


def split(pictures: Pictures) -> dict[str, np.ndarray]:
    """Return the rows to train on, to choose settings on, and to test on: ``train``, ``tune``, ``test``.

    ``unseen`` are the rows of the sources left out whole.
    """
    whole = np.isin(pictures.source, UNSEEN_SOURCES)
    order = np.random.default_rng(64).permutation(np.flatnonzero(~whole))
    half = UNSEEN_PICTURES // 2
    return {
        "train": np.sort(order[UNSEEN_PICTURES:]),
        "tune": order[:half],
        "test": order[half:UNSEEN_PICTURES],
        "unseen": np.flatnonzero(whole),
    }


def square(image: Image.Image) -> np.ndarray:
    """Cut the centre square and scale it to (64, 64, 3) uint8."""
    box = centre_box(*image.size)
    return np.asarray(image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=box))


def squares(images: Path, cache: Path) -> np.ndarray:
    """Return all squares (n, 64, 64, 3) uint8 in the order of the shards; cut once, then kept."""
    path = cache / "squares.npy"
    if not path.exists():
        jpegs = (jpg for shard in shards(images) for jpg in read_jpegs(shard))
        np.save(path, np.stack([square(Image.open(io.BytesIO(jpg))) for jpg in jpegs]))
    return np.load(path, mmap_mode="r")


def vectors(images: Path, cache: Path, nano_cache: Path) -> np.ndarray:
    """Return nano's vectors (n, 256) of all pictures; those that its recipe left out are embedded now."""
    path = cache / "vectors.npy"
    if not path.exists():
        found = np.load(nano_cache / "vectors-all.npy").astype(np.float32)
        nano, first = NanoBackbone(), 0
        for shard in shards(images):
            jpegs = read_jpegs(shard)
            missing = first + np.flatnonzero(np.isnan(found[first : first + len(jpegs), 0]))
            found[missing] = nano.embed_images([open_jpeg(jpegs[i - first]) for i in missing])
            first += len(jpegs)
            print(f"embedded {first} pictures", flush=True)
        np.save(path, found)
    return np.load(path)


def decoded(vectors: np.ndarray, cache: Path) -> np.ndarray:
    """Return what codes of each of `LENGTHS` give back of the vectors: (lengths, n, 256) float16."""
    path = cache / "decoded.npy"
    if not path.exists():
        profile = load("nano")
        codes = profile.encode(vectors, max(LENGTHS))
        np.save(path, np.stack([profile.decode(codes[:, :n]).astype(np.float16) for n in LENGTHS]))
    return np.load(path)


def main() -> None:
    """Prepare all that the training steps read."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=Path("../shared/data"))
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--nano-cache", type=Path, required=True)
    args = parser.parse_args()
    images = args.shared / "images"
    known = vectors(images, args.cache, args.nano_cache)
    print(f"{len(squares(images, args.cache))} squares, {len(known)} vectors", flush=True)
    decoded(known, args.cache)


if __name__ == "__main__":
    main()
