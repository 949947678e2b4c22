"""A backbone without weights, for tests and for trying out tools: it sees colours in a 4 x 4 grid and nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor

from sememe.backbones.images import to_rgb
from sememe.types import Embeddings, Json

_GRID = 4


class ToyBackbone:
    """Deterministic vectors of 32 numbers: pictures by their colours, colour words as a picture in that colour."""

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
        size = (_GRID, _GRID)
        grids = [np.asarray(to_rgb(i).resize(size, Image.Resampling.BOX), np.float32) / 255 for i in images]
        pixels = np.stack(grids).reshape(len(grids), -1) if grids else np.zeros((0, 3 * _GRID**2), np.float32)
        return _unit((pixels - 0.45) @ _projection() + 0.01)

    def embed_texts(self, texts: Sequence[str]) -> Embeddings:
        """Embed n texts as (n, 32) unit float32 rows: the mean over their words."""
        if not texts:
            return np.zeros((0, self.dim), np.float32)
        return _unit(
            np.stack([np.mean([self._word(w) for w in t.lower().split() or [""]], axis=0) for t in texts])
        )

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


def _unit(rows: NDArray[np.float32]) -> Embeddings:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
