"""A text encoder without attention: rows of a table, their mean, one small residual network, in numpy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from sememe.backbones.wordpiece import WordPiece
from sememe.errors import UsageError
from sememe.metrics import unit_rows
from sememe.types import Embeddings, Tables


class StaticText:
    """Texts to unit vectors, the order of words not seen.

    Parameters
    ----------
    keys : (V,) uint64
        Hash of each piece of the vocabulary, in row order.
    tables : mapping of str to numpy.ndarray
        ``table`` int8 (V, r) and ``scale`` float16 (V, 1): a piece's row, whose length is its weight;
        ``inner`` (r, h), ``bias`` (h,), ``outer`` (h, d) and ``direct`` (r, d), float16.
    """

    def __init__(self, keys: NDArray[np.uint64], tables: Tables) -> None:
        self._cut = WordPiece(keys)
        self._table = tables["table"]
        self._scale, self._inner, self._bias, self._outer, self._direct = (
            np.asarray(tables[k], np.float32) for k in ("scale", "inner", "bias", "outer", "direct")
        )

    def __call__(self, texts: Sequence[str]) -> Embeddings:
        """Embed n texts as (n, d) unit float32 rows.

        Raises
        ------
        UsageError
            A text holds no piece of the vocabulary.
        """
        if not texts:
            return np.zeros((0, self._direct.shape[1]), np.float32)
        return np.concatenate([self._embed(self._pooled(t)[None]) for t in texts])

    def _pooled(self, text: str) -> NDArray[np.float32]:
        """Return the sum of a text's rows, scaled to unit length."""
        ids = self._cut(text)
        if not ids:
            raise UsageError(f"nano finds no English word in {text!r}; describe it in English letters")
        rows = self._table[ids].astype(np.float32) * self._scale[ids]
        total = rows.sum(axis=0)
        return cast("NDArray[np.float32]", total / (np.linalg.norm(total) + 1e-6))

    def _embed(self, pooled: NDArray[np.float32]) -> Embeddings:
        hidden = np.maximum(pooled @ self._inner + self._bias, 0)
        return unit_rows(pooled @ self._direct + hidden @ self._outer)
