"""The trained network as arrays: vectors to indices and back with numpy alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sememe.errors import ProfileFormatError, UsageError
from sememe.evaluate.coders.fixed import vectors_of
from sememe.metrics import unit_rows
from sememe.types import Embeddings

__all__ = ["Arrays", "PqVaeModel", "Settings", "forms"]

Arrays = Mapping[str, NDArray[np.float32]]
Ints = NDArray[np.int64]

_BATCH = 512
_TINY = np.float32(1e-12)
_SENDERS = ("in_weight", "in_bias", "up_weight", "up_bias", "skip_weight")


@dataclass(frozen=True)
class Settings:
    """Shape of a network, and how it is trained.

    Attributes
    ----------
    subvectors
        m, indices in a message.
    codewords
        K, entries of a codebook.
    shared
        One codebook for all sub-vectors; else one for each.
    expansion
        Numbers in the expanded vector, per dimension; their share of each sub-vector is rounded down.
    hidden
        Width of the one hidden layer on each side.
    epochs, batch, rate
        Passes over the training vectors, vectors in a step, Adam's first learning rate.
    alpha, beta
        Weights of cosine loss and of commitment; that of the codebook loss is 1.
    """

    subvectors: int
    codewords: int = 256
    shared: bool = True
    expansion: float = 2.0
    hidden: int = 256
    epochs: int = 7
    batch: int = 128
    rate: float = 8e-3
    alpha: float = 10.0
    beta: float = 0.25

    def part(self, dim: int) -> int:
        """Numbers e in a sub-vector.

        Raises
        ------
        UsageError
            There are more sub-vectors than numbers to put into them, or fewer than two codewords.
        """
        if not 1 <= self.subvectors <= int(self.expansion * dim):
            raise UsageError(
                f"{dim} dimensions make 1 to {int(self.expansion * dim)} sub-vectors, not {self.subvectors}"
            )
        if not 2 <= self.codewords <= 1 << 16:
            raise UsageError(f"a codebook has 2 to 65536 codewords, not {self.codewords}")
        return int(self.expansion * dim) // self.subvectors


def forms(settings: Settings, dim: int) -> dict[str, tuple[int, ...]]:
    """Shape of every array of a network.

    Raises
    ------
    UsageError
        The settings do not fit the dimension.
    """
    part = settings.part(dim)
    wide, hidden = settings.subvectors * part, settings.hidden
    return {
        "mean": (dim,),
        "spread": (1,),
        "in_weight": (hidden, dim),
        "in_bias": (hidden,),
        "up_weight": (wide, hidden),
        "up_bias": (wide,),
        "skip_weight": (wide, dim),
        "codebooks": (1 if settings.shared else settings.subvectors, settings.codewords, part),
        "down_weight": (hidden, wide),
        "down_bias": (hidden,),
        "out_weight": (dim, hidden),
        "out_bias": (dim,),
        "back_weight": (dim, wide),
    }


class PqVaeModel:
    """A network at one setting.

    Parameters
    ----------
    settings
        Its shape.
    arrays
        As `forms` names them.

    Raises
    ------
    ProfileFormatError
        An array is missing, has another shape, or holds values that are not finite.
    """

    def __init__(self, settings: Settings, arrays: Arrays) -> None:
        self.settings = settings
        mean = np.asarray(arrays.get("mean", np.zeros(0)))
        for name, shape in forms(settings, mean.size).items():
            if name not in arrays or arrays[name].shape != shape:
                found = arrays[name].shape if name in arrays else "nothing"
                raise ProfileFormatError(f"PQ-VAE: array {name} must be {shape}, not {found}")
            if not np.isfinite(arrays[name]).all():
                raise ProfileFormatError(f"PQ-VAE: array {name} holds values that are not finite")
        self.arrays = {name: np.asarray(array, np.float32) for name, array in arrays.items()}

    @property
    def dim(self) -> int:
        """Length d of a vector."""
        return len(self.arrays["mean"])

    @property
    def receiver_bytes(self) -> int:
        """Bytes of what decodes: codebooks and the network behind them."""
        return sum(array.nbytes for name, array in self.arrays.items() if name not in _SENDERS)

    def indices(self, x: Embeddings) -> Ints:
        """Nearest codeword (n, m) of every sub-vector.

        Raises
        ------
        VectorError
            Another dimension.
        """
        x = vectors_of(x, self.dim)
        batches = [self._nearest(self._expand(x[at : at + _BATCH])) for at in range(0, len(x), _BATCH)]
        return np.concatenate([np.zeros((0, self.settings.subvectors), np.int64), *batches])

    def vectors(self, indices: Ints) -> Embeddings:
        """Unit rows (n, d) that indices (n, m) stand for."""
        batches = [
            self._shrink(self._look_up(indices[at : at + _BATCH])) for at in range(0, len(indices), _BATCH)
        ]
        return unit_rows(np.concatenate([np.zeros((0, self.dim), np.float32), *batches]))

    def _expand(self, x: Embeddings) -> NDArray[np.float32]:
        """Sub-vectors (n, m, e) of unit length."""
        a = self.arrays
        rows = (x - a["mean"]) / a["spread"]
        inner = np.maximum(rows @ a["in_weight"].T + a["in_bias"], 0)
        wide = inner @ a["up_weight"].T + a["up_bias"] + rows @ a["skip_weight"].T
        parts = wide.reshape(len(x), self.settings.subvectors, -1)
        unit: NDArray[np.float32] = parts / np.maximum(np.linalg.norm(parts, axis=2, keepdims=True), _TINY)
        return unit

    def _nearest(self, parts: NDArray[np.float32]) -> Ints:
        books = self.arrays["codebooks"]
        own = np.broadcast_to(books, (parts.shape[1], *books.shape[1:]))
        scores = parts.transpose(1, 0, 2) @ own.transpose(0, 2, 1) - (own**2).sum(axis=2)[:, None] / 2
        nearest: Ints = scores.argmax(axis=2).T.astype(np.int64)
        return nearest

    def _look_up(self, indices: Ints) -> NDArray[np.float32]:
        books = self.arrays["codebooks"]
        which = np.zeros(indices.shape[1], np.int64) if len(books) == 1 else np.arange(len(books))
        chosen: NDArray[np.float32] = books[which, indices].reshape(len(indices), -1)
        return chosen

    def _shrink(self, wide: NDArray[np.float32]) -> Embeddings:
        a = self.arrays
        inner = np.maximum(wide @ a["down_weight"].T + a["down_bias"], 0)
        rows = inner @ a["out_weight"].T + a["out_bias"] + wide @ a["back_weight"].T
        x: Embeddings = rows * a["spread"] + a["mean"]
        return x
