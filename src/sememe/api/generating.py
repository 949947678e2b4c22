"""Pictures drawn from codes, each with what it must say of itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sememe.errors import UsageError
from sememe.generate import Mark, check_space

if TYPE_CHECKING:
    from PIL.Image import Image

    from sememe.api.coder import Coder
    from sememe.generate import Generator, Progress
    from sememe.profile import Profile

__all__ = ["Generated", "expected_fidelity", "generate"]

CONTINUATIONS = 32
"""Vectors that a code may have come from, drawn to estimate its fidelity."""


@dataclass(frozen=True, eq=False, slots=True)
class Generated:
    """A picture that a generator drew, and what it says of itself."""

    image: Image
    mark: Mark
    cosine: float | None = None
    """Of the picture's own vector with the one that it was drawn from; None if nobody looked."""

    def to_json(self) -> dict[str, Any]:
        """Return the fields of the mark, and ``{"width", "height", "cosine"}``."""
        cosine = None if self.cosine is None else round(self.cosine, 6)
        size = {"width": self.image.width, "height": self.image.height}
        return self.mark.to_json() | size | {"cosine": cosine}


def generate(
    coder: Coder,
    code: bytes,
    generator: Generator,
    *,
    n: int = 1,
    seed: int = 0,
    steps: int | None = None,
    fidelity: float | None = None,
    colours: bytes | None = None,
    best_of: int = 1,
    progress: Progress | None = None,
) -> list[Generated]:
    """Draw n pictures from one code.

    Parameters
    ----------
    coder : Coder
        Reads the code; with `best_of` its backbone looks at the pictures too.
    code : bytes
    generator : Generator
        Of the same space (`sememe.generate.load`).
    n : int
        Pictures, from seeds `seed`, `seed` + 1, ...
    seed : int
    steps : int, optional
        Denoising steps; the generator's default if not given.
    fidelity : float, optional
        Cosine of the code with the vector of the original; if it is not known, what the code leads one to
        expect (`expected_fidelity`).
    colours : bytes, optional
        Colour layout, for generators that take one.
    best_of : int
        Draw this many for each picture, and keep the one whose own vector is nearest to the code's.
    progress : callable, optional
        Told (steps done, steps in all).

    Returns
    -------
    list of n Generated
        The mark of each says the seed that it came from, `best_of` or not.

    Raises
    ------
    ProfileMismatchError
        The generator draws from vectors of another space.
    UsageError
        A parameter is out of range.
    ModelUnavailableError
        `best_of` needs the backbone, and its weights are not on this machine.
    """
    if min(n, best_of) < 1:
        raise UsageError(f"{n} pictures, each the best of {best_of}: both are at least 1")
    profile = coder.profile
    check_space(generator.generator_id, generator.space_id, profile.profile_id, profile.space_id)
    judge = coder.backbone if best_of > 1 else None  # what is not here is said before anything is drawn
    vector = coder.decode(code)
    images = generator.generate(
        np.repeat(vector, n * best_of, axis=0),
        seed=seed,
        steps=steps,
        fidelity=expected_fidelity(profile, code) if fidelity is None else fidelity,
        colours=colours,
        progress=progress,
    )
    known = None if fidelity is None else round(fidelity, 4)
    cosines = None if judge is None else judge.embed_images(images) @ vector[0]
    return [
        Generated(
            images[row],
            Mark(len(code), profile.profile_id, generator.generator_id, seed + row, steps, known, code.hex()),
            None if cosines is None else float(cosines[row]),
        )
        for row in _kept(cosines, n, best_of)
    ]


def expected_fidelity(profile: Profile, code: bytes) -> float:
    """Estimate the cosine of a code with its original, from the code alone.

    An entropy coder turns what it expects into bytes that look random. So a code with random bytes after it
    decodes to a vector that the original may have had, as far as the profile knows; the estimate is the mean
    cosine with several of these. It is the same whenever it is asked for.

    Parameters
    ----------
    profile : Profile
    code : bytes

    Returns
    -------
    float
        In (0, 1].
    """
    head = np.frombuffer(code, np.uint8)
    tails = np.random.default_rng(0).integers(
        0, 256, (CONTINUATIONS, profile.max_bytes - len(head)), np.uint8
    )
    longer = profile.decode(np.hstack([np.tile(head, (CONTINUATIONS, 1)), tails]))
    mean = float((longer @ profile.decode(head[None])[0]).mean())
    return float(np.clip(mean, np.finfo(np.float32).tiny, 1))


def _kept(cosines: np.ndarray[Any, Any] | None, n: int, best_of: int) -> Iterator[int]:
    """Row of the best of each group of candidates; the first if they were not looked at."""
    for first in range(0, n * best_of, best_of):
        group = None if cosines is None else cosines[first : first + best_of]
        yield first if group is None else first + int(np.argmax(group))
