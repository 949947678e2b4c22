"""Our own code, as the harness sees it: at a fixed size, and at one slope for all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sememe.code import allocate, slope_for
from sememe.evaluate.coder import Length, Note, Training
from sememe.profile import MAX_BYTES, Profile, errors_by_length
from sememe.types import Embeddings

__all__ = ["Sememe", "SememeMean"]

_SAMPLE = 2000  # training vectors that set the slope


class Sememe:
    """The progressive code at a fixed size: one profile, cut at every rate."""

    name = "sememe"
    title = "sememe, fixed bytes"
    length: Length = "fixed"
    source = "this project"

    def rates(self, dim: int) -> tuple[float, ...] | None:
        """Any whole number of bytes."""
        return None

    def train(self, training: Training, note: Note = lambda _: None) -> SememeTrained:
        """Fit a profile."""
        manifest = {"profile_id": "bench", "space_id": "bench"}
        return SememeTrained(Profile.fit(training.x, training.text, manifest=manifest, progress=note))


class SememeTrained:
    """A fitted profile.

    Parameters
    ----------
    profile
        Fitted on the training vectors.
    """

    def __init__(self, profile: Profile) -> None:
        self.profile = profile

    def at(self, nbytes: float, note: Note = lambda _: None) -> SememeFitted:
        """Cut codes at a length."""
        return SememeFitted(self.profile, int(nbytes))


class SememeFitted:
    """A profile and a length."""

    def __init__(self, profile: Profile, nbytes: int) -> None:
        self._profile = profile
        self._nbytes = nbytes

    @property
    def table_bytes(self) -> int:
        """Size of the profile's file."""
        return len(self._profile.to_bytes())

    def encode(self, x: Embeddings) -> list[bytes]:
        """Encode unit rows (n, d)."""
        return [row.tobytes() for row in self._profile.encode(x, self._nbytes)]

    def decode(self, codes: Sequence[bytes]) -> Embeddings:
        """Decode messages of one length to unit rows (n, d)."""
        return self._profile.decode(np.frombuffer(b"".join(codes), np.uint8).reshape(len(codes), -1))


class SememeMean:
    """The same code, where each vector stops when a byte no longer saves what the slope asks for."""

    name = "sememe-mean"
    title = "sememe, bytes on average"
    length: Length = "mean"
    source = "this project; Shoham and Gersho 1988 for the slope"

    def rates(self, dim: int) -> tuple[float, ...] | None:
        """Any mean between the shortest and the longest code."""
        return None

    def train(self, training: Training, note: Note = lambda _: None) -> SememeMeanTrained:
        """Fit a profile, and draw the training vectors that slopes are set on."""
        rows = np.random.default_rng(training.seed).permutation(len(training.x))[:_SAMPLE]
        return SememeMeanTrained(Sememe().train(training, note).profile, training.x[rows])


class SememeMeanTrained:
    """A fitted profile, and vectors to set slopes on.

    Parameters
    ----------
    profile
        Fitted on the training vectors.
    sample
        (m, d) some of them.
    """

    def __init__(self, profile: Profile, sample: Embeddings) -> None:
        self._profile = profile
        self._errors, self._lengths = errors_by_length(profile, sample, profile.encode(sample, MAX_BYTES))

    def at(self, nbytes: float, note: Note = lambda _: None) -> SememeMeanFitted:
        """Set the slope that gives the training sample this mean."""
        return SememeMeanFitted(self._profile, slope_for(self._errors, self._lengths, nbytes))


class SememeMeanFitted:
    """A profile and a slope."""

    def __init__(self, profile: Profile, slope: float) -> None:
        self._profile = profile
        self._slope = slope

    @property
    def table_bytes(self) -> int:
        """Size of the profile's file."""
        return len(self._profile.to_bytes())

    def encode(self, x: Embeddings) -> list[bytes]:
        """Encode unit rows (n, d), each to the length that it deserves."""
        codes = self._profile.encode(x, MAX_BYTES)
        lengths = allocate(*errors_by_length(self._profile, x, codes), self._slope)
        return [row[:length].tobytes() for row, length in zip(codes, lengths, strict=True)]

    def decode(self, codes: Sequence[bytes]) -> Embeddings:
        """Decode messages of any lengths to unit rows (n, d)."""
        x = np.zeros((len(codes), self._profile.dim), np.float32)
        lengths = np.array([len(code) for code in codes])
        for length in np.unique(lengths):
            rows = np.flatnonzero(lengths == length).tolist()
            matrix = np.frombuffer(b"".join(codes[row] for row in rows), np.uint8).reshape(len(rows), -1)
            x[rows] = self._profile.decode(matrix)
        return x
