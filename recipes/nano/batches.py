"""Random batches over all stored views: pixels for the student, and what each teacher says about them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from . import data
from .targets import Mix


class Batches:
    """Random batches over all views, cut and coloured a little differently each time."""

    def __init__(self, cache: Path, views: list[int], mix: Mix, *, seed: int) -> None:
        self.pixels = [np.load(cache / f"view{v}.pixels.npy", mmap_mode="r") for v in views]
        self.logits = [np.load(cache / f"view{v}.tf2.logits.npy", mmap_mode="r") for v in views]
        self.features = [np.load(cache / f"view{v}.tf2.pool.npy", mmap_mode="r") for v in views]
        self.mix, self.rng = mix, np.random.default_rng(seed)
        self.places = [mix_of_view(cache, v, mix) for v in views]
        self.clip_row, self.clip = clip_vectors(cache)
        self.queue: list[tuple[int, int]] = []
        self.rows = np.empty(0, int)

    def set_rows(self, rows: np.ndarray) -> None:
        """Choose which pictures to draw from."""
        self.rows = rows

    def _next(self, count: int) -> list[tuple[int, int]]:
        while len(self.queue) < count:
            order = self.rng.permutation(self.rows)
            views = self.rng.integers(len(self.pixels), size=len(order))
            self.queue += list(zip(views.tolist(), order.tolist(), strict=True))
        taken, self.queue = self.queue[:count], self.queue[count:]
        return taken

    def draw(self, count: int, side: int) -> dict[str, Tensor]:
        """Draw one batch at a picture side."""
        items = self._next(count)
        size = int(self.rng.integers(92, data.STUDENT_SIDE + 1))
        crops = np.empty((count, size, size, 3), np.uint8)
        for i, (v, r) in enumerate(items):
            y, x = self.rng.integers(0, data.STUDENT_SIDE - size + 1, size=2)
            crop = self.pixels[v][r, y : y + size, x : x + size]
            crops[i] = crop[:, ::-1] if self.rng.random() < 0.5 else crop
        logits = np.stack([self.logits[v][r] for v, r in items])
        features = np.stack([self.features[v][r] for v, r in items]).astype(np.float32)
        rows = np.array([r for _, r in items])
        return {
            "pixels": self._coloured(scale(torch.from_numpy(crops), side)),
            "logits": torch.from_numpy(logits).float(),
            "features": torch.from_numpy((features - self.mix.mean) / self.mix.spread),
            "mix": torch.from_numpy(np.stack([self.places[v][r] for v, r in items])).float(),
            "concept": torch.from_numpy(self.mix.concept[rows]),
            "clip": torch.from_numpy(self.clip[self.clip_row[rows]]),
            "has_clip": torch.from_numpy(self.clip_row[rows] >= 0),
        }

    def _coloured(self, pixels: Tensor) -> Tensor:
        """Change gain per channel, contrast and brightness a little; a few pictures lose their colour."""
        n = len(pixels)
        gain = torch.from_numpy(
            self.rng.uniform(0.85, 1.15, (n, 1, 1, 1)) * self.rng.uniform(0.93, 1.07, (n, 3, 1, 1))
        )
        shift = torch.from_numpy(self.rng.uniform(-0.15, 0.15, (n, 1, 1, 1)))
        for i in np.flatnonzero(self.rng.random(n) < 0.05):
            pixels[i] = pixels[i].mean(0)
        return pixels.mul_(gain.float()).add_(shift.float())


def mix_of_view(cache: Path, view: int, mix: Mix) -> np.ndarray:
    """Return the teacher-mix vectors (n, 256) float16 of one view, from the cache where they are."""
    path = cache / f"view{view}.mix.npy"
    if not path.exists():
        pair = [np.load(cache / f"view{view}.tf2.{k}.npy", mmap_mode="r") for k in ("logits", "pool")]
        cuts = range(0, len(pair[0]), 2048)
        parts = [mix(*(np.asarray(t[i : i + 2048]) for t in pair)).astype(np.float16) for i in cuts]
        np.save(path, np.concatenate(parts))
    return np.load(path, mmap_mode="r")


def scale(pixels: Tensor, side: int) -> Tensor:
    """Scale (n, h, w, 3) uint8 to (n, 3, side, side) in -1..1, channels last."""
    planes = pixels.permute(0, 3, 1, 2)
    if planes.shape[-1] != side:
        planes = functional.interpolate(planes, (side, side), mode="bilinear", antialias=True)
    return planes.to(torch.float32, memory_format=torch.channels_last).div_(127.5).sub_(1)


def clip_vectors(cache: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return each picture's row (-1: none) in the matrix of real CLIP vectors."""
    stored = np.load(cache / "clip.npz")
    return stored["row"], stored["vectors"]


def gather_clip(cache: Path, pictures: data.Pictures, vectors: Path) -> None:
    """Collect the real CLIP vectors of the pictures that have one."""
    sets = {
        "caltech101_val": ("caltech101", "val_x"),
        "caltech101_test": ("caltech101", "test_x"),
        "cifar10_500": ("cifar10_500", "test_x"),
    }
    row, rows = np.full(len(pictures), -1), []
    for name, (file, key) in sets.items():
        table = np.load(vectors / f"{file}.npz")[key].astype(np.float32)
        for i in np.flatnonzero(pictures.clip_set == name):
            row[i] = len(rows)
            rows.append(table[pictures.clip_row[i]])
    found = np.stack(rows)
    found = found - found.mean(0)
    np.savez(cache / "clip.npz", row=row, vectors=found / np.linalg.norm(found, axis=1, keepdims=True))
