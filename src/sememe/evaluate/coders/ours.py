"""Our own code, as the harness sees it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sememe.evaluate.coder import Length, Note, Training
from sememe.profile import Profile
from sememe.types import Embeddings

__all__ = ["Sememe"]


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
