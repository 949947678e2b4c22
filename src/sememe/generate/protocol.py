"""What every generator is: vectors of one space in, pictures out, each from its own seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from PIL.Image import Image

    from sememe.types import Embeddings

Progress: TypeAlias = Callable[[int, int], None]
"""Called with (done, total) denoising steps over all pictures."""


class Generator(Protocol):
    """A model that draws a picture which could have given a vector; it does not bring the original back."""

    @property
    def generator_id(self) -> str:
        """Name of the generator, as it is written into the pictures it makes."""
        ...

    @property
    def space_id(self) -> str:
        """Name of the joint space whose vectors it draws from."""
        ...

    @property
    def dim(self) -> int:
        """Length d of a vector."""
        ...

    @property
    def takes_colours(self) -> bool:
        """Whether it can be given a colour layout."""
        ...

    def generate(
        self,
        x: Embeddings,
        *,
        seed: int = 0,
        steps: int | None = None,
        fidelity: float | None = None,
        colours: bytes | None = None,
        progress: Progress | None = None,
    ) -> list[Image]:
        """Draw one picture for each vector.

        Parameters
        ----------
        x : (n, d) float32
            Unit rows of `space_id`. The same row n times gives n variations.
        seed : int
            Picture i depends on (x[i], seed + i) and the options only, not on the other rows.
        steps : int, optional
            Denoising steps; the generator's own default if not given.
        fidelity : float, optional
            Cosine of the vectors with those that were encoded, where known: a generator that can will draw
            more freely the less of the meaning is certain.
        colours : bytes, optional
            Colour layout of the picture, for generators that take one.
        progress : callable, optional
            See `Progress`.

        Returns
        -------
        list of n Pillow images, mode RGB

        Raises
        ------
        VectorError
            `x` has another shape, or a row is not finite or not of unit length.
        UsageError
            An option is out of range, or `colours` is given to a generator that takes none.
        """
        ...
