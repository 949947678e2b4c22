"""Two networks into one space, whatever runs them: the seam between ONNX Runtime, OpenVINO and PyTorch."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Towers(Protocol):
    """An image network and a text network; each starts when first used."""

    @property
    def dim(self) -> int:
        """Length d of a vector."""
        ...

    @property
    def batch(self) -> int:
        """Pictures or texts that are taken at once."""
        ...

    @property
    def logit_scale(self) -> float | None:
        """Factor on cosines before a softmax, as it was learned; None if the weights do not hold it."""
        ...

    def embed_pixels(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Embed (n, 3, h, w) as (n, d) of any length."""
        ...

    def embed_tokens(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Embed (n, length) as (n, d) of any length."""
        ...
