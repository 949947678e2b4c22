"""Array aliases and protocols: the words of the package, one verb per arrow.

::

    image ──embed──► x (d,) unit float32 ──encode──► code (n bytes) ──pack──► file / record
                     x̂ (d,) unit float32 ◄─decode── code (n bytes) ◄─parse── file / record
                     └─ classify, search, explain work on x̂
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image

Embeddings: TypeAlias = NDArray[np.float32]
"""(n, d) float32, every row of unit L2 norm."""

Codes: TypeAlias = NDArray[np.uint8]
"""(n, nbytes) uint8, one code a row; cutting columns off the right is truncation."""

Tables: TypeAlias = Mapping[str, NDArray[np.generic]]
"""Named arrays of a profile, stored as safetensors."""

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
"""Anything that canonical JSON holds."""


class Backbone(Protocol):
    """A frozen image-text model: pictures and words into one space."""

    @property
    def backbone_id(self) -> str:
        """Name of the weights; two backbones share it if and only if they give the same vectors."""
        ...

    @property
    def space_id(self) -> str:
        """Name of the joint space; two backbones share it iff their vectors can stand for each other."""
        ...

    @property
    def dim(self) -> int:
        """Length d of a vector."""
        ...

    @property
    def preprocessing(self) -> Mapping[str, Json]:
        """All that happens to a picture before the network, as canonical JSON; part of the fingerprint."""
        ...

    def embed_images(self, images: Sequence[Image]) -> Embeddings:
        """Embed n pictures (any mode, already oriented) as (n, d) unit float32 rows."""
        ...

    def embed_texts(self, texts: Sequence[str]) -> Embeddings:
        """Embed n texts as (n, d) unit float32 rows."""
        ...
