"""What every way of coding vectors must offer, so that one harness can judge them all on real bytes.

::

    Coder ──train──► Trained ──at──► Fitted      x (n, d) ──encode──► [bytes, …] ──decode──► x̂ (n, d)

Training happens once; `at` sets the rate, and trains what belongs to that rate alone. A *fixed* coder gives
every vector the same number of bytes; a *mean* coder gives each what it needs, and is set on its training
vectors, never on those that judge it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from sememe.types import Embeddings

__all__ = ["Coder", "Fitted", "Length", "Note", "Trained", "Training", "WithIdeal"]

Length = Literal["fixed", "mean"]
Note = Callable[[str], None]
"""Called with one line about what takes long."""


@dataclass(frozen=True)
class Training:
    """What a coder may learn from.

    Attributes
    ----------
    x
        (n, d) float32 unit rows.
    text
        (t, d) text vectors of the same space, none of which judges; or None.
    seed
        Of every random choice.
    """

    x: Embeddings
    text: Embeddings | None = None
    seed: int = 0


class Fitted(Protocol):
    """A trained coder at one rate."""

    @property
    def table_bytes(self) -> int:
        """What a decoder must hold beside the codes: codebooks, rotations, frequencies."""
        ...

    def encode(self, x: Embeddings) -> list[bytes]:
        """Encode unit rows (n, d), each into its own real, complete message."""
        ...

    def decode(self, codes: Sequence[bytes]) -> Embeddings:
        """Decode messages to unit rows (n, d) float32, from the bytes and the tables alone."""
        ...


@runtime_checkable
class WithIdeal(Protocol):
    """What a `Fitted` may offer beside: how short its codes could be."""

    def ideal_bytes(self, codes: Sequence[bytes]) -> float:
        """Mean bytes of these messages if an ideal coder wrote their symbols.

        Cross-entropy with static tables of order 0, one for each place of a code, fitted on codes of training
        vectors; neither ends of messages nor the tables are counted. A lower bound, not a rate: no such bytes
        exist.
        """
        ...


class Trained(Protocol):
    """A coder that has seen its training vectors."""

    def at(self, nbytes: float, note: Note = lambda _: None) -> Fitted:
        """Set the rate: bytes per vector, exactly (fixed) or on average over the training vectors (mean).

        Raises
        ------
        UsageError
            The coder has no such rate.
        """
        ...


class Coder(Protocol):
    """A way of turning vectors into bytes.

    Attributes
    ----------
    name
        What users type after ``--coders``.
    title
        One line for tables.
    length
        Whether all codes have one length.
    source
        Paper or library that it follows.
    """

    name: str
    title: str
    length: Length
    source: str

    def rates(self, dim: int) -> tuple[float, ...] | None:
        """Rates in bytes that it can be set to for vectors of `dim` dimensions; None: any."""
        ...

    def train(self, training: Training, note: Note = lambda _: None) -> Trained:
        """Learn from vectors.

        Raises
        ------
        MissingExtraError
            A library that it needs is not installed; names the extra.
        """
        ...
