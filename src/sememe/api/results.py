"""What the API gives back: small, frozen, and each with a `to_json` whose keys are a promise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from sememe.errors import InputError, UsageError
from sememe.metrics import fidelity_to_byte
from sememe.types import Codes
from sememe.zeroshot import Prediction


@dataclass(frozen=True, eq=False, slots=True)
class Encoded:
    """Codes of n inputs, and how much each keeps; as long as the list that was encoded.

    It is a sequence of `bytes`, and ``numpy.asarray(encoded)`` is the matrix of codes.
    """

    codes: Codes
    """(n, width) uint8; a code shorter than the widest is padded with zeros, a failed row is all zeros."""
    lengths: NDArray[np.int64]
    """(n,) bytes of each code; 0 if the input failed."""
    cosines: NDArray[np.float32]
    """(n,) cosine of each vector and what its code decodes to; NaN if the input failed."""
    names: tuple[str, ...]
    """Path of each input, or ``image 3`` for one that has none."""
    errors: tuple[InputError | None, ...]
    """Why an input has no code; None if it has one."""
    sizes: tuple[tuple[int, int], ...]
    """Width and height in pixels, upright; (0, 0) if there is no picture."""

    def __len__(self) -> int:
        return len(self.codes)

    @overload
    def __getitem__(self, item: int) -> bytes: ...

    @overload
    def __getitem__(self, item: slice) -> Encoded: ...

    def __getitem__(self, item: int | slice) -> bytes | Encoded:
        """Return one code as bytes (raising the error of an input that failed), or a slice of all this."""
        if isinstance(item, slice):
            return Encoded(
                self.codes[item],
                self.lengths[item],
                self.cosines[item],
                self.names[item],
                self.errors[item],
                self.sizes[item],
            )
        error = self.errors[item]
        if error is not None:
            raise error
        return self.codes[item, : self.lengths[item]].tobytes()

    def __iter__(self) -> Iterator[bytes]:
        return (self[row] for row in range(len(self)))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.codes, dtype=dtype, copy=copy)

    @property
    def ok(self) -> NDArray[np.bool_]:
        """(n,) whether each input has a code."""
        return np.array([error is None for error in self.errors], np.bool_)

    def truncate(self, nbytes: int) -> Encoded:
        """Cut every code to `nbytes` or less; cosines become NaN, because they spoke of the longer codes.

        Raises
        ------
        UsageError
            `nbytes` is not positive.
        """
        if nbytes < 1:
            raise UsageError(f"a code has at least 1 byte, not {nbytes}")
        cut = self.lengths > nbytes
        cosines = np.where(cut, np.float32(np.nan), self.cosines)
        lengths = np.minimum(self.lengths, nbytes)
        return replace(self, codes=self.codes[:, :nbytes], lengths=lengths, cosines=cosines)

    def fidelity(self, row: int) -> int | None:
        """Fidelity byte of one code (FORMAT.md); None if its cosine is not known."""
        cosine = float(self.cosines[row])
        return None if np.isnan(cosine) else fidelity_to_byte(cosine)

    def to_json(self) -> list[dict[str, Any]]:
        """Return ``{"input", "nbytes", "code", "cosine", "width", "height", "error"}`` ."""
        return [self._row(row) for row in range(len(self))]

    def _row(self, row: int) -> dict[str, Any]:
        error, cosine = self.errors[row], float(self.cosines[row])
        return {
            "input": self.names[row],
            "nbytes": int(self.lengths[row]),
            "code": None if error else self[row].hex(),
            "cosine": None if np.isnan(cosine) else round(cosine, 6),
            "width": self.sizes[row][0],
            "height": self.sizes[row][1],
            "error": None if error is None else str(error),
        }


@dataclass(frozen=True, slots=True)
class Rate:
    """What survives at one length."""

    nbytes: int
    cosine: float | None
    """With the original vector; None without an original."""
    cosine_to_full: float
    """With what the longest code decodes to."""
    prediction: Prediction
    agrees: bool
    """Whether the best label is the one of the original (of the longest code, without an original)."""

    def to_json(self, top: int | None = None) -> dict[str, Any]:
        """Return ``{"nbytes", "cosine", "cosine_to_full", "agrees", "none", "labels"}``."""
        cosine = None if self.cosine is None else round(self.cosine, 6)
        fields = {"nbytes": self.nbytes, "cosine": cosine, "cosine_to_full": round(self.cosine_to_full, 6)}
        return fields | {"agrees": self.agrees} | self.prediction.to_json(top)


@dataclass(frozen=True, slots=True)
class Explanation:
    """What survives of one image at several lengths."""

    name: str
    code: bytes
    original: Prediction | None
    """Labels of the uncompressed vector; None without an original."""
    rates: tuple[Rate, ...]
    """Ascending."""

    def to_json(self, top: int | None = 3) -> dict[str, Any]:
        """Return ``{"input", "code", "original", "rates"}`` with the `top` likeliest labels of each."""
        return {
            "input": self.name,
            "code": self.code.hex(),
            "original": None if self.original is None else self.original.to_json(top),
            "rates": [rate.to_json(top) for rate in self.rates],
        }


@dataclass(frozen=True, slots=True)
class Check:
    """One check of `selftest`."""

    name: str
    ok: bool
    detail: str

    def to_json(self) -> dict[str, Any]:
        """Return ``{"check", "ok", "detail"}``."""
        return {"check": self.name, "ok": self.ok, "detail": self.detail}
