"""A backbone without weights, for tests and for trying out tools: it sees the colours of a 4 x 4 grid."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor

from sememe.backbones.images import to_rgb
from sememe.metrics import unit_rows
from sememe.types import Embeddings, Json

_GRID = 4


class ToyBackbone:
    """Deterministic vectors of 32 numbers: a picture by its colours, a colour word as a picture of it."""

    backbone_id = "toy/32"
    space_id = "toy/32"
    dim = 32
    logit_scale = 10.0

    @property
    def preprocessing(self) -> Mapping[str, Json]:
        """Describe the resize: the whole picture squashed to a grid."""
        return {
            "crop": "none",
            "resize": {"filter": "box", "height": _GRID, "width": _GRID},
            "scale": 1 / 255,
        }

    def embed_images(self, images: Sequence[Image.Image]) -> Embeddings:
        """Embed n pictures as (n, 32) unit float32 rows."""
        if not images:
            return np.zeros((0, self.dim), np.float32)
        grids = [to_rgb(i).resize((_GRID, _GRID), Image.Resampling.BOX) for i in images]
        pixels = np.stack([np.asarray(g, np.float32).ravel() for g in grids]) / np.float32(255)
        return unit_rows(((pixels - 0.45) @ _projection() + 0.01).astype(np.float32))

    def embed_texts(self, texts: Sequence[str]) -> Embeddings:
        """Embed n texts as (n, 32) unit float32 rows: the mean over their words."""
        if not texts:
            return np.zeros((0, self.dim), np.float32)
        return unit_rows(np.stack([self._text(t) for t in texts]))

    def _text(self, text: str) -> NDArray[np.float32]:
        words = [self._word(w) for w in text.lower().split() or [""]]
        return cast("NDArray[np.float32]", np.mean(words, axis=0, dtype=np.float32))

    def _word(self, word: str) -> NDArray[np.float32]:
        if word in ImageColor.colormap:
            vector: NDArray[np.float32] = self.embed_images([Image.new("RGB", (_GRID, _GRID), word)])[0]
            return vector
        seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "little")
        return np.random.default_rng(seed).standard_normal(self.dim, dtype=np.float32) / np.float32(
            self.dim**0.5
        )


def _projection() -> NDArray[np.float32]:
    return np.random.default_rng(0).standard_normal((3 * _GRID**2, 32), dtype=np.float32)
