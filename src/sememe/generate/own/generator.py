"""The built-in generator, as `sememe.generate.Generator` wants it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from sememe.bitstream.colours import COUNT, read_colours
from sememe.generate.checks import check_call
from sememe.generate.own.networks import Networks
from sememe.generate.own.sampling import sample

if TYPE_CHECKING:
    from PIL.Image import Image

    from sememe.generate.protocol import Progress
    from sememe.types import Embeddings

__all__ = ["GENERATOR_ID", "DrawGenerator"]

GENERATOR_ID = "draw"

_KNOWN, _IGNORANT = np.array([[1], [0]], np.float32), np.zeros((2, 1), np.float32)

Floats = NDArray[np.float32]


class DrawGenerator:
    """Small pictures from vectors of `nano`: 64 x 64 pixels of what was the centre square.

    Parameters
    ----------
    folder : Path, optional
        Where the weights are; the package's own by default.
    threads : int
        Threads inside one step.
    guidance : float, optional
        How closely a picture holds to its vector (`sampling.sample`); the card's by default.

    Raises
    ------
    ModelUnavailableError
        The weights are missing or damaged.
    """

    generator_id = GENERATOR_ID
    takes_colours = True

    def __init__(
        self, folder: Path | None = None, *, threads: int = 1, guidance: float | None = None
    ) -> None:
        self._networks = Networks(folder, threads=threads)
        card = self._networks.card
        self._guidance = float(card["guidance"]) if guidance is None else guidance

    @property
    def space_id(self) -> str:
        """Name of the joint space whose vectors it draws from."""
        return cast("str", self._networks.card["space_id"])

    @property
    def dim(self) -> int:
        """Length d of a vector."""
        return cast("int", self._networks.card["dim"])

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
            Picture i is the same for the same (x[i], seed + i, steps, colours), whatever the other rows are.
        steps : int, optional
            Steps from noise to picture; the card's by default.
        fidelity : float, optional
            Has no effect: the network learned from codes of all lengths, and was not told how long they were.
        colours : bytes, optional
            Value of a colour layout (`bitstream.colours`), to be followed by all pictures.
        progress : callable, optional
            Told (steps done, steps in all).

        Returns
        -------
        list of n Pillow images of 64 x 64 pixels, mode RGB

        Raises
        ------
        VectorError
            `x` has another shape, or a row is not finite or not of unit length.
        UsageError
            An option is out of range.
        ExtensionError
            `colours` is not a colour layout.
        ModelUnavailableError
            The weights are missing or damaged.
        """
        check_call(x, self.dim, seed=seed, steps=steps, fidelity=fidelity)
        layout = None if colours is None else read_colours(colours).astype(np.float32)
        steps = steps or cast("int", self._networks.card["steps"])
        done = 0

        def told() -> None:
            nonlocal done
            done += 1
            if progress is not None:
                progress(done, steps * len(x))

        drawn = []
        for i, row in enumerate(np.asarray(x, np.float32)):
            noise = np.random.default_rng(seed + i).standard_normal((16, 64), np.float32)
            velocity = _Guided(self._networks, row, layout)
            drawn.append(sample(velocity, noise, steps=steps, guidance=self._guidance, told=told))
        return [self._picture(tokens) for tokens in drawn]

    def _picture(self, tokens: Floats) -> Image:
        from PIL import Image

        pixels = self._networks.pixels(tokens[None])[0].transpose(1, 2, 0)
        return Image.fromarray(np.rint((pixels.clip(-1, 1) + 1) * 127.5).astype(np.uint8))


class _Guided:
    """Velocities for one vector: its rows are always two, so that no other picture can change a rounding."""

    def __init__(self, networks: Networks, vector: Floats, layout: Floats | None) -> None:
        colours = np.zeros(COUNT, np.float32) if layout is None else layout
        self._networks = networks
        self._told = {
            "vector": np.stack([vector, vector]),
            "vector_told": _KNOWN,
            "colours": np.stack([colours, colours]),
            "colours_told": _IGNORANT if layout is None else _KNOWN,
        }

    def __call__(self, tokens: Floats, t: float) -> tuple[Floats, Floats]:
        """Return the velocity of one who knows vector and layout, and of one who does not."""
        knowing, ignorant = self._networks.velocity(np.stack([tokens, tokens]), t, self._told)
        return knowing, ignorant
