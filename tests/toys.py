"""The toy backbone, a profile fitted to it and pictures it can tell apart: everything without weights."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from sememe import Codec, Profile, backbones
from sememe.types import Embeddings

COLOURS = ("red", "green", "blue", "yellow", "purple", "orange", "black", "white")


def picture(seed: int, size: tuple[int, int] = (64, 48)) -> Image.Image:
    """A picture of 4 x 4 random colours; different seeds give different pictures."""
    grid = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8)
    return Image.fromarray(grid).resize(size, Image.Resampling.NEAREST)


def plain(colour: str) -> Image.Image:
    """A picture of one colour, with a little noise so that no two pixels rows agree."""
    noise = np.random.default_rng(1).integers(0, 8, (48, 64, 3), np.uint8)
    pixels = np.asarray(Image.new("RGB", (64, 48), colour))
    return Image.fromarray(np.where(pixels > 128, pixels - noise, pixels + noise).astype(np.uint8))


@cache
def toy_vectors(n: int = 600) -> Embeddings:
    """Vectors of toy pictures, random and near one colour."""
    rng = np.random.default_rng(0)
    pictures = [picture(1000 + i, (4, 4)) for i in range(n // 2)]
    for _ in range(n - len(pictures)):
        grid = np.clip(rng.integers(0, 256, 3) + rng.integers(-40, 40, (4, 4, 3)), 0, 255)
        pictures.append(Image.fromarray(grid.astype(np.uint8)))
    return backbones.load("toy/32").embed_images(pictures)


@cache
def toy_profile(name: str = "toy") -> Profile:
    """A profile of the toy space; another name alone does not give another fingerprint."""
    manifest = {"profile_id": name, "space_id": "toy/32", "backbone_id": "toy/32"}
    return Profile.fit(toy_vectors(), manifest=manifest)


@cache
def other_profile() -> Profile:
    """A profile of the toy space that reads nothing that `toy_profile` wrote."""
    manifest = {"profile_id": "other", "space_id": "toy/32", "backbone_id": "toy/32"}
    return Profile.fit(toy_vectors()[::2], manifest=manifest)


def toy_codec(nbytes: int = 16) -> Codec:
    return Codec(toy_profile(), nbytes=nbytes)


def save_pictures(folder: Path, n: int, first: int = 0) -> list[Path]:
    """Write n different pictures, named by number."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{i:04d}.png" for i in range(first, first + n)]
    for i, path in enumerate(paths, start=first):
        picture(i).save(path)
    return paths
