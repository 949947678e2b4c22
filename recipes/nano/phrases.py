"""English phrases to distil the text teacher on, composed from names and a few hundred words of our own."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np


def plural(word: str) -> str:
    """Return a plausible plural."""
    if re.search(r"(s|x|z|ch|sh)$", word):
        return word + "es"
    if re.search(r"[^aeiou]y$", word):
        return word[:-1] + "ies"
    return word + "s"


def nouns(text: Path, teachers: Path) -> list[str]:
    """Return names of visible things, every synonym of the teachers' classes among them."""
    from .space import common_names

    labels = (teachers / "imagenet_labels.txt").read_text().splitlines()[1:]
    synonyms = [s.strip().lower() for line in labels for s in line.split(",")]
    cleaned = [re.sub(r"[\(\)/_]", " ", n).lower().strip() for n in common_names(text)]
    return sorted({n for n in cleaned + synonyms if n})


class Composer:
    """Random phrases over a bank of things and a bank of all words."""

    def __init__(self, things: list[str], words: list[str], *, seed: int) -> None:
        self._things, self._words, self._rng = things, words, np.random.default_rng(seed)
        banks = tomllib.loads((Path(__file__).parent / "words.toml").read_text())
        self._banks = {k: v.split() if isinstance(v, str) else v for k, v in banks.items()}

    def _any(self, bank: Sequence[str]) -> str:
        return bank[int(self._rng.integers(len(bank)))]

    def _of(self, bank: str) -> str:
        return self._any(self._banks[bank])

    def _thing(self) -> str:
        return self._any(self._things if self._rng.random() < 0.7 else self._words)

    def makers(self) -> list[tuple[int, Callable[[], str]]]:
        """Return how many phrases to make of each kind, and how."""
        of, thing = self._of, self._thing
        return [
            (22000, lambda: f"{of('adjectives')} {thing()}"),
            (4000, lambda: f"{of('adjectives')} {of('adjectives')} {thing()}"),
            (11000, lambda: f"a {thing()} and a {thing()}"),
            (11000, lambda: f"{of('counts')} {thing()} {of('relations')} the {of('places')}"),
            (3000, lambda: f"{of('people')} {of('actions')} a {thing()}"),
            (2000, lambda: f"{of('purposes')} {of('verbs')}"),
            (2000, lambda: f"a {of('styles')} of a {thing()}"),
            (9000, lambda: f"{self._any(self._words)} {self._any(self._words)}"),
            (6000, lambda: f"{thing()} {of('places')}"),
        ]

    def framed(self) -> tuple[str, str]:
        """Return a text in a frame, and the text without it."""
        inner = self._thing()
        if self._rng.random() < 0.3:
            inner = f"{self._of('adjectives')} {inner}"
        return self._of("frames").format(inner), inner


def compose(
    things: list[str], words: list[str], captions: list[str], *, seed: int = 0
) -> tuple[list[str], list[str]]:
    """Compose phrases.

    Returns
    -------
    tuple of list of str
        What the student reads, and beside it the text whose place in the space it must find (the same text
        without its frame: "a photo of a dog" belongs where "dog" does).
    """
    composer = Composer(things, words, seed=seed)
    alone = words + things + [plural(t) for t in things] + captions
    made = [make() for count, make in composer.makers() for _ in range(count)]
    pairs = {p: p for p in alone + made} | dict(composer.framed() for _ in range(9000))
    return list(pairs), list(pairs.values())
