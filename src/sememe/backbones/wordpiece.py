"""Text to token ids: lower-case words, cut greedily into the longest pieces that the vocabulary knows.

The scheme is WordPiece (Schuster and Nakajima 2012; Wu et al. 2016): a piece that does not begin a word is
written with a leading ``##``. Characters that no piece covers are skipped, so most texts have some reading.

The vocabulary is a set of 64-bit hashes: looking pieces up needs no list of words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

_WORD = re.compile(r"[a-z0-9]+|[^\sa-z0-9]")
_MAX_WORD = 64
_LONGEST = 20  # letters of a piece


class WordPiece:
    """A greedy longest-match tokeniser over a fixed vocabulary.

    Parameters
    ----------
    keys : (V,) uint64
        Hash of each piece (`hash_pieces`); a piece's position is its id.
    """

    def __init__(self, keys: NDArray[np.uint64]) -> None:
        self._ids = {key: i for i, key in enumerate(keys.tolist())}
        self._cut = lru_cache(maxsize=8192)(self._cut_word)

    def __call__(self, text: str) -> list[int]:
        """Return the ids of a text, possibly none."""
        return [i for word in words(text) for i in self._cut(word)]

    def _cut_word(self, word: str) -> tuple[int, ...]:
        found: list[int] = []
        at = 0
        while at < len(word):
            size = self._match(word, at)
            if size:
                found.append(self._ids[_key(_piece(word, at, size))])
            at += size or 1
        return tuple(found)

    def _match(self, word: str, at: int) -> int:
        """Return the length of the longest piece that fits at a position, 0 if there is none."""
        longest = min(len(word) - at, _LONGEST)
        return next((n for n in range(longest, 0, -1) if _key(_piece(word, at, n)) in self._ids), 0)


def hash_pieces(pieces: Sequence[str]) -> NDArray[np.uint64]:
    """Hash each piece, (V,) uint64: the first eight bytes of its BLAKE2b, little-endian."""
    return np.array([_key(piece) for piece in pieces], np.uint64)


def words(text: str) -> list[str]:
    """Split a text into lower-case words and signs, accents removed."""
    plain = unicodedata.normalize("NFKD", text.lower())
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return [w[:_MAX_WORD] for w in _WORD.findall(plain)]


def _key(piece: str) -> int:
    return int.from_bytes(blake2b(piece.encode(), digest_size=8).digest(), "little")


def _piece(word: str, at: int, size: int) -> str:
    return ("##" if at else "") + word[at : at + size]
