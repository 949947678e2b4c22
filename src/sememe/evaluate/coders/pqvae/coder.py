"""The PQ-VAE as the harness sees it, and as a file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from sememe.errors import ProfileFormatError, UsageError
from sememe.evaluate.coder import Length, Note, Training
from sememe.evaluate.coders.pqvae.model import PqVaeModel, Settings
from sememe.evaluate.coders.pqvae.wire import PackedWire, StaticWire, Wire
from sememe.types import Embeddings

__all__ = ["PqVae", "PqVaeFitted", "PqVaeFixed", "PqVaeOwn", "PqVaeTrained"]

_MOST_BYTES = 128
_DEFAULT = Settings(subvectors=1)


class PqVae:
    """256 codewords, entropy coded: a rate of n bytes is n sub-vectors, whose coding then saves a little."""

    name = "pqvae"
    title = "PQ-VAE, one shared codebook"
    length: Length = "mean"
    source = "Shen et al., Compression Beyond Pixels, MLSP 2025"
    shared = True
    packed = False

    def rates(self, dim: int) -> tuple[float, ...] | None:
        """Whole bytes; entropy coding then takes a little less."""
        return tuple(float(n) for n in range(1, min(_MOST_BYTES, int(_DEFAULT.expansion * dim)) + 1))

    def train(self, training: Training, note: Note = lambda _: None) -> PqVaeTrained:
        """Keep the vectors: a network belongs to one rate.

        Raises
        ------
        MissingExtraError
            torch is not installed.
        """
        from sememe.evaluate.coders.pqvae.training import load_torch

        load_torch()
        return PqVaeTrained(training, replace(_DEFAULT, shared=self.shared), packed=self.packed)


class PqVaeOwn(PqVae):
    """The same with a codebook for each sub-vector."""

    name = "pqvae-own"
    title = "PQ-VAE, a codebook for each sub-vector"
    shared = False


class PqVaeFixed(PqVae):
    """The same with one byte for each index, as the paper counts."""

    name = "pqvae-fixed"
    title = "PQ-VAE, one shared codebook, fixed bytes"
    length: Length = "fixed"
    packed = True


class PqVaeTrained:
    """Training vectors, and the shape of the networks that will be trained on them.

    Parameters
    ----------
    training
        Vectors and seed.
    settings
        Everything but the number of sub-vectors.
    packed
        Write indices in whole bits, without entropy coding.
    """

    def __init__(self, training: Training, settings: Settings, *, packed: bool = False) -> None:
        self._training, self._settings, self._packed = training, settings, packed

    def at(self, nbytes: float, note: Note = lambda _: None) -> PqVaeFitted:
        """Train a network of that many sub-vectors.

        Raises
        ------
        UsageError
            Not a whole number of bytes, or more than the dimension has room for.
        """
        if nbytes != int(nbytes):
            raise UsageError(f"coder 'pqvae' has whole numbers of bytes only, not {nbytes:g}")
        return self.with_settings(replace(self._settings, subvectors=int(nbytes)), note)

    def with_settings(self, settings: Settings, note: Note = lambda _: None) -> PqVaeFitted:
        """Train a network of any shape, and count its indices on the training vectors."""
        from sememe.evaluate.coders.pqvae.training import train

        model = PqVaeModel(settings, train(self._training.x, settings, self._training.seed, note))
        return PqVaeFitted(model, _count(model, self._training.x), packed=self._packed)


class PqVaeFitted:
    """A network, and how often it used each codeword in training.

    Parameters
    ----------
    model
        The network.
    counts
        (m, K) int64.
    packed
        Write indices in whole bits, without entropy coding.
    """

    def __init__(self, model: PqVaeModel, counts: NDArray[np.integer], *, packed: bool = False) -> None:
        shape = (model.settings.subvectors, model.settings.codewords)
        if counts.shape != shape or (counts < 0).any():
            raise ProfileFormatError(f"PQ-VAE: counts must be {shape} and not negative, not {counts.shape}")
        self.model, self.counts = model, counts
        self._wire: Wire = PackedWire(*shape) if packed else StaticWire(counts)

    @property
    def table_bytes(self) -> int:
        """Codebooks, the network behind them, and frequencies."""
        return self.model.receiver_bytes + self._wire.table_bytes

    def encode(self, x: Embeddings) -> list[bytes]:
        """Encode unit rows (n, d).

        Raises
        ------
        VectorError
            Another dimension.
        """
        return self._wire.encode(self.model.indices(x))

    def decode(self, codes: Sequence[bytes]) -> Embeddings:
        """Decode messages to unit rows (n, d).

        Raises
        ------
        IntegrityError
            A message is none that `encode` writes.
        """
        return self.model.vectors(self._wire.decode(codes))

    def to_bytes(self) -> bytes:
        """The network and its counts as one safetensors file."""
        from safetensors.numpy import save

        arrays = {name: np.ascontiguousarray(array) for name, array in self.model.arrays.items()}
        made: bytes = save(
            {**arrays, "counts": self.counts.astype(np.int64)},
            metadata={"pqvae": json.dumps(asdict(self.model.settings), sort_keys=True)},
        )
        return made

    @classmethod
    def from_bytes(cls, data: bytes, *, packed: bool = False) -> Self:
        """Read what `to_bytes` wrote.

        Raises
        ------
        ProfileFormatError
            It is damaged, or something else.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load

        try:
            arrays = load(data)
            size = int.from_bytes(data[:8], "little")
            settings = Settings(**json.loads(json.loads(data[8 : 8 + size])["__metadata__"]["pqvae"]))
            counts = arrays.pop("counts")
            model = PqVaeModel(settings, arrays)
        except (SafetensorError, ValueError, KeyError, TypeError) as exc:
            raise ProfileFormatError(f"not the file of a PQ-VAE, or damaged: {exc}") from exc
        return cls(model, counts, packed=packed)


def _count(model: PqVaeModel, x: Embeddings) -> NDArray[np.int64]:
    m, k = model.settings.subvectors, model.settings.codewords
    places = model.indices(x) + k * np.arange(m)
    counts: NDArray[np.int64] = np.bincount(places.ravel(), minlength=m * k).reshape(m, k)
    return counts
