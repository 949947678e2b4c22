"""How many bytes each code of an archive gets: all the same, or more where they help most."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sememe.archive import Archive

if TYPE_CHECKING:
    from sememe.api import Codec, Encoded
    from sememe.types import Embeddings

SAMPLE = 1024
"""Images from which the slope of an archive with a mean is learned; the first ones that come."""


class Spending:
    """Encodes vectors into codes of the lengths that an archive asks for.

    Parameters
    ----------
    archive : Archive
        Open for writing. If its codes have mixed lengths, one slope decides all of them; it is settled once.
    codec : Codec
    """

    def __init__(self, archive: Archive, codec: Codec) -> None:
        self._archive, self._codec = archive, codec
        self._slope = archive.slope

    @property
    def settled(self) -> bool:
        """Whether codes can be cut to their lengths already."""
        return self._archive.mean_bytes is None or self._slope is not None

    def settle(self, x: Embeddings) -> None:
        """Learn the slope from vectors (n, d), n > 0, and let the archive keep it."""
        assert self._archive.mean_bytes is not None, "only mixed lengths have a slope"
        slope = self._codec.slope(x, self._archive.mean_bytes)
        self._archive.settle(slope)
        self._slope = slope

    def encode(self, x: Embeddings) -> Encoded:
        """Encode vectors (n, d); before the slope is settled, to the longest codes.

        Raises
        ------
        VectorError
            A row is not finite or all zero.
        """
        return self._codec.encode_vectors(x, slope=self._slope)
