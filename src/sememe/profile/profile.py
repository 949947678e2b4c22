"""`Profile`: encode, decode, fit, save and load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from sememe.code import CodeTables, FitOptions, Progress, ProgressiveCode, fit_tables
from sememe.errors import ProfileFormatError, UsageError, VectorError
from sememe.profile import storage
from sememe.types import Codes, Embeddings, Json

__all__ = ["CUSTOM", "MAX_BYTES", "Profile"]

CUSTOM = "custom"
MAX_BYTES = 128
"""Longest code; past it the tables have nothing left to say."""

_MIN_DIM, _MAX_DIM = 32, 1536
_FEWEST = 32  # vectors without which variances mean nothing


@dataclass(frozen=True, eq=False)
class Profile:
    """A space and a progressive code for its vectors.

    Attributes
    ----------
    tables
        Arrays of the code.
    manifest
        What the tables are for, as canonical JSON: `profile_id`, `space_id`, `backbone_id`, `preprocessing`,
        `provenance`.
    registered
        Number on the wire: 1 to 127 for profiles that ship with the package, 0 for all others.
    """

    tables: CodeTables
    manifest: Mapping[str, Json]
    registered: int = 0

    @property
    def profile_id(self) -> str:
        """A registered name, or the name given when it was fitted."""
        return str(self.manifest["profile_id"])

    @property
    def space_id(self) -> str:
        """Name of the vector space that the code is for."""
        return str(self.manifest["space_id"])

    @property
    def dim(self) -> int:
        """Length d of a vector."""
        return self.tables.dim

    @property
    def max_bytes(self) -> int:
        """Longest code, in bytes."""
        return MAX_BYTES

    @cached_property
    def fingerprint(self) -> bytes:
        """SHA-256 (32 bytes) over space, preprocessing and tables."""
        return storage.fingerprint(self.manifest, self.tables.to_arrays())

    @cached_property
    def _code(self) -> ProgressiveCode:
        return ProgressiveCode(self.tables)

    def encode(self, x: Embeddings, nbytes: int = 16) -> Codes:
        """Encode vectors.

        Parameters
        ----------
        x
            (n, d) floats, rows of any positive length; they are normalised.
        nbytes
            Length of each code, 1 to `max_bytes`.

        Returns
        -------
        (n, nbytes) uint8
            Each row a pure function of its vector, and a prefix of what any larger `nbytes` gives.

        Raises
        ------
        VectorError
            `x` has another shape or dtype, or holds zeros only or values that are not finite.
        UsageError
            `nbytes` is out of bounds.
        """
        if not 1 <= nbytes <= self.max_bytes:
            raise UsageError(f"a code takes 1 to {self.max_bytes} bytes, not {nbytes}")
        return self._code.encode(_unit_rows(x, self.dim), nbytes)

    def decode(self, codes: Codes) -> Embeddings:
        """Decode codes.

        Parameters
        ----------
        codes
            (n, nbytes) uint8 with 0 <= nbytes <= `max_bytes`; any bytes decode.

        Returns
        -------
        (n, d) float32
            Rows of unit length, bit for bit the same on every machine.

        Raises
        ------
        VectorError
            `codes` is not a matrix of bytes, or too wide.
        """
        codes = np.asarray(codes)
        if codes.ndim != 2 or codes.dtype != np.uint8:
            raise VectorError(f"codes must be (n, nbytes) uint8, not {codes.shape} {codes.dtype}")
        if codes.shape[1] > self.max_bytes:
            raise VectorError(f"codes take at most {self.max_bytes} bytes, not {codes.shape[1]}")
        return self._code.decode(codes)

    def uses_universal_mode(self, x: Embeddings) -> NDArray[np.bool_]:
        """Whether each vector (n, d) is unlike all that the profile was fitted on, (n,) bool."""
        universal: NDArray[np.bool_] = (
            self._code.choose_modes(_unit_rows(x, self.dim)) == self.tables.modes - 1
        )
        return universal

    @classmethod
    def fit(
        cls,
        x: Embeddings,
        text: Embeddings | None = None,
        *,
        manifest: Mapping[str, Json] | None = None,
        options: FitOptions | None = None,
        progress: Progress = lambda _: None,
    ) -> Self:
        """Fit a profile to vectors.

        Parameters
        ----------
        x
            (n, d) floats, 32 <= d <= 1536, n >= 32; the more and the more varied, the better.
        text
            (t, d) text vectors of the same space; errors that text can see then weigh more.
        manifest
            `space_id`, and where known `profile_id`, `backbone_id`, `preprocessing`, `provenance`. Without it
            the space is called "unnamed".
        options
            See `sememe.code.FitOptions`.
        progress
            Called with one line about each stage.

        Raises
        ------
        VectorError
            Too few vectors, or of a dimension that is not supported, or not finite.
        """
        x = np.asarray(x)
        if x.ndim != 2 or not _MIN_DIM <= x.shape[1] <= _MAX_DIM:
            raise VectorError(f"vectors must be (n, d) with {_MIN_DIM} <= d <= {_MAX_DIM}, not {x.shape}")
        if len(x) < _FEWEST:
            raise VectorError(f"{len(x)} vectors are too few to fit a profile; bring at least {_FEWEST}")
        texts = None if text is None else _unit_rows(text, x.shape[1])
        tables = fit_tables(_unit_rows(x, x.shape[1]), texts, options=options, progress=progress)
        return cls(tables, storage.complete({"space_id": "unnamed"} if manifest is None else manifest))

    def save(self, path: str | Path) -> None:
        """Write the profile to a file, whole or not at all.

        Raises
        ------
        StorageError
            The file cannot be written.
        """
        storage.write(Path(path), self.to_bytes())

    def to_bytes(self) -> bytes:
        """The profile as the bytes of its file."""
        return storage.to_bytes(self.manifest, self.tables.to_arrays())

    @classmethod
    def from_bytes(cls, data: bytes, *, registered: int = 0, source: str = "profile") -> Self:
        """Read a profile from the bytes of its file.

        Raises
        ------
        ProfileFormatError
            The bytes are no profile, or a damaged one.
        """
        manifest, arrays = storage.from_bytes(data, source)
        try:
            return cls(CodeTables.from_arrays(arrays), manifest, registered)
        except ProfileFormatError as exc:
            raise ProfileFormatError(f"{source}: {exc}") from exc


def _unit_rows(x: Embeddings, dim: int) -> Embeddings:
    x = np.asarray(x)
    if x.ndim != 2 or x.shape[1] != dim or not np.issubdtype(x.dtype, np.floating):
        raise VectorError(f"vectors must be (n, {dim}) floats, not {x.shape} {x.dtype}")
    wide = x.astype(np.float64)
    if not np.isfinite(wide).all():
        row = int(np.flatnonzero(~np.isfinite(wide).all(axis=1))[0])
        raise VectorError(f"vector {row} holds values that are not finite")
    lengths = np.sqrt((wide * wide).sum(axis=1, keepdims=True))
    if not lengths.all():
        raise VectorError(f"vector {int(np.flatnonzero(lengths[:, 0] == 0)[0])} is all zero")
    unit: Embeddings = (wide / lengths).astype(np.float32)
    return unit
