"""Coders that tests can look through: one that is honest, and ways to be none."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from sememe.evaluate import Length, Note, Training
from sememe.metrics import unit_rows
from sememe.types import Embeddings


class Tiny:
    """The first n dimensions in a byte each; the others are those of the mean."""

    title = "tiny, first dimensions"
    source = "a test"

    def __init__(
        self, name: str = "tiny", *, length: Length = "fixed", own: tuple[float, ...] | None = None
    ) -> None:
        self.name = name
        self.length = length
        self.trained = 0
        self.asked: list[float] = []
        self._own = own

    def rates(self, dim: int) -> tuple[float, ...] | None:
        return self._own

    def train(self, training: Training, note: Note = lambda _: None) -> TinyTrained:
        self.trained += 1
        note("took the mean")
        return TinyTrained(self, training.x.mean(axis=0))


class TinyTrained:
    def __init__(self, coder: Tiny, mean: np.ndarray) -> None:
        self.coder = coder
        self.mean = mean

    def at(self, nbytes: float, note: Note = lambda _: None) -> TinyFitted:
        self.coder.asked.append(nbytes)
        return TinyFitted(self.mean, int(nbytes))


class TinyFitted:
    def __init__(self, mean: np.ndarray, kept: int) -> None:
        self.mean = mean
        self.kept = kept

    @property
    def table_bytes(self) -> int:
        return self.mean.nbytes

    def encode(self, x: Embeddings) -> list[bytes]:
        levels = np.clip(np.round(x[:, : self.kept] * 127), -127, 127).astype(np.int8)
        return [row.tobytes() for row in levels]

    def decode(self, codes: Sequence[bytes]) -> Embeddings:
        decoded = np.repeat(self.mean[None], len(codes), axis=0)
        for row, code in zip(decoded, codes, strict=True):
            row[: len(code)] = np.frombuffer(code, np.int8) / 127
        return unit_rows(decoded)


class Broken(Tiny):
    """A tiny coder whose fitted form, or whose training, is spoilt."""

    def __init__(
        self,
        name: str = "broken",
        *,
        length: Length = "fixed",
        train: Exception | None = None,
        encode: Callable[[list[bytes]], object] = lambda codes: codes,
        decode: Callable[[Embeddings], object] = lambda x: x,
    ) -> None:
        super().__init__(name, length=length)
        self._fails = train
        self._encode, self._decode = encode, decode

    def train(self, training: Training, note: Note = lambda _: None) -> TinyTrained:
        if self._fails:
            raise self._fails
        spoilt = super().train(training, note)
        encode, decode = self._encode, self._decode

        class Fitted(TinyFitted):
            def encode(self, x: Embeddings) -> list[bytes]:
                return encode(super().encode(x))  # type: ignore[return-value]

            def decode(self, codes: Sequence[bytes]) -> Embeddings:
                return decode(super().decode(codes))  # type: ignore[return-value]

        spoilt.at = lambda nbytes, note=None: Fitted(spoilt.mean, int(nbytes))  # type: ignore[method-assign]
        return spoilt
