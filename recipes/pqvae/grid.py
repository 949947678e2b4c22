"""Which networks are trained, and on what.

Lines of equal rate (m · log₂ K bits) show what sub-vectors are worth against codewords; the same shapes with
a codebook for each sub-vector show what sharing costs; and one data set alone is the paper's test of
zero-shot generalisation.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sememe.evaluate.coders.pqvae import Settings
from sememe.metrics import unit_rows

#: Sets whose vectors train, by the name of the training set.
SETS = {
    "all": ("caltech101", "dtd", "fgvc", "oxford_pets", "sun397", "food101", "imagenet"),
    "imagenet": ("imagenet",),
}
PARTS = ("val", "shots", "extra")

BYTES = (4, 8, 16, 32, 64)
"""Rates of one byte an index."""

LINES = {
    128: ((64, 4), (32, 16), (16, 256)),
    400: ((200, 4), (100, 16), (50, 256)),
    600: ((200, 8),),
}
"""Bits to shapes (sub-vectors, codewords); the paper has 400 and 600 bits, with 4 and 8 codewords."""

OWN = ((16, 256), (64, 4), (32, 16))
"""Shapes also trained with a codebook for each sub-vector."""

_EPOCHS = {"all": 7, "imagenet": 14}  # a quarter of the vectors, half the steps


@dataclass(frozen=True)
class Network:
    """One network to train."""

    trained_on: str
    settings: Settings

    @property
    def name(self) -> str:
        """What its file is called."""
        kind = "shared" if self.settings.shared else "own"
        return f"{self.trained_on}-{self.settings.subvectors}x{self.settings.codewords}-{kind}"


def network(trained_on: str, subvectors: int, codewords: int, *, shared: bool = True) -> Network:
    """Describe one network."""
    made = Settings(subvectors, codewords, shared=shared, epochs=_EPOCHS[trained_on])
    return Network(trained_on, made)


def networks() -> list[Network]:
    """All of them, each once; those that most figures need first."""
    rates = [(n, 256) for n in BYTES]
    every = [network("all", *shape) for shape in rates]
    every += [network("all", *LINES[400][0])]
    every += [network("imagenet", *shape) for shape in [*rates, LINES[400][0]]]
    every += [network("all", *shape, shared=False) for shape in OWN]
    every += [network("all", *shape) for line in LINES.values() for shape in line]
    return list(dict.fromkeys(every))


def vectors(data: Path, trained_on: str) -> NDArray[np.float32]:
    """Training vectors (n, d), in the order of the benchmark's main split."""
    rows = []
    for name in SETS[trained_on]:
        file = np.load(data / "vectors" / f"{name}.npz")
        rows += [unit_rows(file[f"{part}_x"]) for part in PARTS if f"{part}_x" in file]
    return np.concatenate(rows)
