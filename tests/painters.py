"""A generator without weights, for tests: it paints the vector and the seed."""

from __future__ import annotations

import numpy as np
from PIL import Image

from sememe.generate import Progress, check_call
from sememe.types import Embeddings


class Painter:
    """Draws one colour for the vector and one for the seed; with colours, those."""

    generator_id = "painter"
    takes_colours = True

    def __init__(self, space_id: str = "toy/32", dim: int = 32, side: int = 64) -> None:
        self.space_id = space_id
        self.dim = dim
        self.side = side
        self.calls: list[dict[str, object]] = []

    def generate(
        self,
        x: Embeddings,
        *,
        seed: int = 0,
        steps: int | None = None,
        fidelity: float | None = None,
        colours: bytes | None = None,
        progress: Progress | None = None,
    ) -> list[Image.Image]:
        check_call(x, self.dim, seed=seed, steps=steps, fidelity=fidelity)
        self.calls.append({"seed": seed, "steps": steps, "fidelity": fidelity, "colours": colours})
        length = steps or 2
        for done in range(1, length * len(x) + 1):
            if progress is not None:
                progress(done, length * len(x))
        return [self._paint(vector, seed + row) for row, vector in enumerate(x)]

    def _paint(self, vector: np.ndarray, seed: int) -> Image.Image:
        left = tuple(np.clip(128 + 600 * vector[:3], 0, 255).astype(int).tolist())
        right = tuple(np.random.default_rng(seed).integers(0, 256, 3).tolist())
        picture = Image.new("RGB", (self.side, self.side), left)
        picture.paste(right, (self.side // 2, 0, self.side, self.side))
        return picture
