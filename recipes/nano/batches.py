"""Random batches over all stored views: pixels for the student, and what the teacher says about them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from . import data, styles
from .targets import Mix

ARRAYS = ("pixels", "m14", "m7", "logits", "pool")


class Batches:
    """Random batches over all views, mirrored, coloured a little differently each time, some redrawn.

    Parameters
    ----------
    cache : Path
        Where `recipes.nano.teachers` left the views.
    views : list of int
        Which of them to draw from.
    mix : Mix
        The teacher's places in the joint space, and the scale of its features.
    rows : numpy.ndarray
        Which pictures to draw from.
    drawn : float
        Share of the pictures that is redrawn in each style.
    """

    def __init__(
        self, cache: Path, views: list[int], mix: Mix, rows: np.ndarray, *, drawn: float, seed: int
    ) -> None:
        self._views = [
            {name: np.load(cache / f"view{v}.{name}.npy", mmap_mode="r") for name in ARRAYS}
            | {"mix": mix.of_view(cache, v)}
            for v in views
        ]
        self._named = [v not in data.MIXED_VIEWS for v in views]  # a blend of two has no one name
        self._mix, self._rows, self._drawn = mix, rows, drawn
        self._scales = MapScales(self._views[0], rows)
        self.rng = np.random.default_rng(seed)
        self._queue: list[tuple[int, int]] = []
        self.count = len(rows)

    def _next(self, count: int) -> list[tuple[int, int]]:
        while len(self._queue) < count:
            order = self.rng.permutation(self._rows)
            views = self.rng.integers(len(self._views), size=len(order))
            self._queue += list(zip(views.tolist(), order.tolist(), strict=True))
        taken, self._queue = self._queue[:count], self._queue[count:]
        return taken

    def draw(self, count: int) -> dict[str, Tensor]:
        """Draw one batch."""
        items = self._next(count)
        mirrored = self.rng.random(count) < 0.5
        got = {name: np.stack([self._views[v][name][r] for v, r in items]) for name in (*ARRAYS, "mix")}
        for name in ("pixels", "m14", "m7"):
            got[name][mirrored] = got[name][mirrored][:, :, ::-1]
        features = (got["pool"].astype(np.float32) - self._mix.mean) / self._mix.spread
        concept = [self._mix.concept[r] if self._named[v] else -1 for v, r in items]
        return {
            "pixels": self._coloured(self._redrawn(as_input(torch.from_numpy(got["pixels"])))),
            "m14": self._scales("m14", got["m14"]),
            "m7": self._scales("m7", got["m7"]),
            "logits": torch.from_numpy(got["logits"]).float(),
            "features": torch.from_numpy(features),
            "mix": torch.from_numpy(got["mix"]).float(),
            "concept": torch.tensor(concept),
        }

    def _redrawn(self, pixels: Tensor) -> Tensor:
        return styles.redrawn(pixels, self.rng, self._drawn)

    def _coloured(self, pixels: Tensor) -> Tensor:
        """Change gain per channel, contrast and brightness a little; a few pictures lose their colour."""
        n = len(pixels)
        gain = self.rng.uniform(0.85, 1.15, (n, 1, 1, 1)) * self.rng.uniform(0.93, 1.07, (n, 3, 1, 1))
        shift = self.rng.uniform(-0.15, 0.15, (n, 1, 1, 1))
        for i in np.flatnonzero(self.rng.random(n) < 0.05):
            pixels[i] = pixels[i].mean(0)
        return pixels.mul_(torch.from_numpy(gain).float()).add_(torch.from_numpy(shift).float())


class MapScales:
    """What takes the teacher's stored int8 maps to mean 0 and variance 1 in each channel."""

    def __init__(self, view: dict[str, np.ndarray], rows: np.ndarray) -> None:
        self._of: dict[str, tuple[Tensor, Tensor]] = {}
        for name in ("m14", "m7"):
            values = view[name][np.sort(rows[:: max(1, len(rows) // 1000)])].astype(np.float32)
            mean, std = values.mean((0, 1, 2)), values.std((0, 1, 2)) + 1e-3
            self._of[name] = torch.from_numpy(mean), torch.from_numpy(std)

    def __call__(self, name: str, stored: np.ndarray) -> Tensor:
        """Return int8 maps (n, h, w, c) as float (n, c, h, w)."""
        mean, std = self._of[name]
        return torch.from_numpy(stored).float().sub_(mean).div_(std).permute(0, 3, 1, 2)


def as_input(pixels: Tensor) -> Tensor:
    """Scale (n, h, w, 3) uint8 to (n, 3, h, w) in -1..1, channels last."""
    planes = pixels.permute(0, 3, 1, 2)
    return planes.to(torch.float32, memory_format=torch.channels_last).div_(127.5).sub_(1)
