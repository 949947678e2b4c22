"""Photographs redrawn as line drawings and as flat-coloured cartoons: a student learns what survives that.

The teacher's answer for the photograph is the target for its drawing; geometry stays, so inner maps match.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

#: Share of the pictures of a batch that is redrawn in each way, where nothing else is said.
SHARE = 0.1


def redrawn(pixels: Tensor, rng: np.random.Generator, share: float = SHARE) -> Tensor:
    """Redraw some pictures (n, 3, h, w) in -1..1, in place: `share` of them in each way."""
    kind = rng.random(len(pixels))
    for chosen, draw in ((kind < share, line_drawing), (kind > 1 - share, cartoon)):
        for i in np.flatnonzero(chosen):
            pixels[i] = draw(pixels[i], rng)
    return pixels


def line_drawing(picture: Tensor, rng: np.random.Generator) -> Tensor:
    """Return dark lines on white where a picture (3, h, w) in -1..1 has edges."""
    lines = _outlines(picture, rng, threshold=rng.uniform(0.3, 0.6))
    return (1 - 2 * lines).expand_as(picture)


def cartoon(picture: Tensor, rng: np.random.Generator) -> Tensor:
    """Return a picture (3, h, w) in -1..1 in few strong colours with dark outlines."""
    flat = _flattened(picture, radius=int(rng.integers(2, 5)), noise=0.05)
    grey = flat.mean(0, keepdim=True)
    strong = grey + (flat - grey) * rng.uniform(1.2, 2.2)
    step = 2 / rng.integers(3, 7)
    posterised = (strong / step).round() * step
    lines = _outlines(picture, rng, threshold=rng.uniform(0.5, 0.8))
    return (posterised * (1 - lines) - lines).clamp(-1, 1)


def _outlines(picture: Tensor, rng: np.random.Generator, *, threshold: float) -> Tensor:
    """Return how much ink (1, h, w) in 0..1 the edges of a picture deserve."""
    grey = picture.mean(0, keepdim=True)[None]
    for _ in range(rng.integers(1, 4)):
        grey = functional.avg_pool2d(functional.pad(grey, (1, 1, 1, 1), mode="replicate"), 3, 1)
    padded = functional.pad(grey, (1, 1, 1, 1), mode="replicate")
    across = padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]
    down = padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]
    slope = (across**2 + down**2).sqrt()
    strongest = torch.quantile(slope.float(), 0.97).clamp(min=0.02)
    ink = torch.sigmoid((slope / strongest - threshold) * 12)
    if rng.random() < 0.5:
        ink = functional.max_pool2d(ink, 3, 1, 1)
    return ink[0]


def _flattened(picture: Tensor, *, radius: int, noise: float) -> Tensor:
    """Smooth within edges: the self-guided filter (He et al., Guided Image Filtering, 2013, eq. 5-8)."""
    side = 2 * radius + 1

    def mean(x: Tensor) -> Tensor:
        padded = functional.pad(x[None], (radius,) * 4, mode="replicate")
        return functional.avg_pool2d(padded, side, 1)[0]

    average = mean(picture)
    variance = mean(picture * picture) - average**2
    gain = variance / (variance + noise)
    return mean(gain) * picture + mean((1 - gain) * average)
