"""Words with their vectors: embedded on the fly, or read from a file where there is no text encoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sememe.caption.tree import Tree
from sememe.caption.words import ROOT, SETTINGS, STYLES, Concept, concepts
from sememe.errors import UnknownLabelError, VectorError
from sememe.metrics import unit_rows
from sememe.types import Embeddings

if TYPE_CHECKING:
    from sememe.types import Backbone

MOST_NAMES = 1 << 15
"""Names of a file: a caption compares every concept with every other."""

_LARGEST = 1 << 30  # bytes of the arrays of a file, which may be packed a thousand times smaller

TEMPLATES = ("{}", "a photo of a {}")
"""Sentences around a word; its vector is their mean (Radford et al., 2021, section 3.1.4)."""


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """Everything that a caption can say, and where it lies in one space."""

    tree: Tree
    vectors: Embeddings
    """(k, d) unit rows of the tree's known concepts, in its order."""
    additions: tuple[tuple[str, str], ...]
    """Of each setting or style: its word, and how it is said."""
    addition_vectors: Embeddings
    """(a, d) unit rows."""
    left_out: tuple[str, ...] = ()
    """Names given that have no place in the tree."""

    @classmethod
    def of(cls, vectors: Mapping[str, Any], tree: Sequence[Concept] | None = None) -> Vocabulary:
        """Put vectors by name into their places.

        Parameters
        ----------
        vectors : mapping of str to (d,) float
            Names of concepts, settings and styles; a name may be both.
        tree : sequence of Concept, optional
            Parents before children; the package's own tree if not given.

        Raises
        ------
        UnknownLabelError
            Not one name has a place.
        VectorError
            Vectors differ in length, are not finite or all zero.
        """
        made = Tree.of(concepts() if tree is None else tree, tuple(vectors))
        if not made.known.any():
            raise UnknownLabelError(
                "the vocabulary holds no word of the caption tree; add an array `parents` beside `names`"
            )
        named = [c.name for c, known in zip(made.concepts, made.known, strict=True) if known]
        said = {word: phrase for word, phrase in (SETTINGS | STYLES).items() if word in vectors}
        placed = made.rows.keys() | said.keys()
        dim = len(np.atleast_1d(vectors[named[0]]))
        return cls(
            made,
            _stacked([vectors[name] for name in named], dim),
            tuple(said.items()),
            _stacked([vectors[word] for word in said], dim),
            tuple(name for name in vectors if name not in placed),
        )

    @classmethod
    def embed(cls, backbone: Backbone) -> Vocabulary:
        """Embed the package's own words with a backbone's text side."""
        words = tuple(dict.fromkeys([*(c.name for c in concepts()), *SETTINGS, *STYLES]))
        texts = [template.replace("{}", word) for template in TEMPLATES for word in words]
        mean = backbone.embed_texts(texts).reshape(len(TEMPLATES), len(words), -1).mean(axis=0)
        return cls.of(dict(zip(words, mean, strict=True)))

    @property
    def dim(self) -> int:
        """Length d of a vector."""
        return int(self.vectors.shape[1])


def read_vocabulary(path: str | Path) -> Vocabulary:
    """Read a `.npz` file of ``names`` (n,), their text vectors ``x`` (n, d) and perhaps ``parents`` (n,).

    Names are looked up without regard to case; underscores are spaces. With ``parents`` the file brings a
    tree of its own: each entry is another name of the file, or empty at the top.

    Raises
    ------
    UnknownLabelError
        The file cannot be read, lacks an array, or has no name that fits the tree.
    VectorError
        The vectors are of the wrong shape, not finite or all zero.
    """
    names, parents, x = _read(Path(path))
    if len(names) > MOST_NAMES:
        raise UnknownLabelError(f"{path}: holds {len(names):,} names, more than {MOST_NAMES:,}; keep fewer")
    if x.ndim != 2 or x.dtype.kind != "f" or len(x) != len(names):
        raise VectorError(f"{path}: x is {x.dtype} {x.shape}, not floats ({len(names)}, d), one row a name")
    tree = None if parents is None else _own_tree(path, names, parents)
    vectors: dict[str, Any] = {}
    for name, row in zip(names, x, strict=True):
        vectors.setdefault(name, row)
    try:
        return Vocabulary.of(vectors, tree)
    except (UnknownLabelError, VectorError) as error:
        raise type(error)(f"{path}: {error}") from error


def _read(path: Path) -> tuple[list[str], list[str] | None, np.ndarray[Any, Any]]:
    """Names, parents if there are any, and vectors."""
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            small = sum(member.file_size for member in file.zip.infolist()) <= _LARGEST
            arrays = {key: file[key] for key in ("names", "x", "parents") if small and key in file}
            texts = {key: _texts(arrays[key]) for key in ("names", "parents") if key in arrays}
    except Exception as exc:  # zipfile, zlib and NumPy raise whatever the damage makes them stumble over
        reason = getattr(exc, "strerror", None) or "not a .npz file"
        raise UnknownLabelError(f"{path}: cannot be read as a vocabulary ({reason})") from exc
    names, x = texts.get("names"), arrays.get("x")
    if names is None or not isinstance(x, np.ndarray):
        raise UnknownLabelError(f"{path}: a vocabulary holds `names`, an array of text, and `x`, its vectors")
    if "parents" in texts and texts["parents"] is None:
        raise UnknownLabelError(f"{path}: `parents` is no array of text; give each name its parent's, or ''")
    return names, texts.get("parents"), x


def _texts(array: Any) -> list[str] | None:
    """Names in an array (n,) of text; None of anything else."""
    if not isinstance(array, np.ndarray) or array.ndim != 1 or array.dtype.kind != "U":
        return None
    return [_plain(name) for name in array.tolist()]


def _own_tree(path: str | Path, names: Sequence[str], parents: Sequence[str]) -> list[Concept]:
    """Order a file's own tree from the top down."""
    if len(parents) != len(names):
        raise UnknownLabelError(f"{path}: has {len(names)} names and {len(parents)} parents; give one each")
    above = dict(zip(names, parents, strict=True))
    place = {name: number for number, name in enumerate(above)}
    below: dict[str, list[str]] = {}
    for name, parent in above.items():
        below.setdefault(parent, []).append(name)
    placed: dict[str, Concept] = {}
    level = below.get(ROOT, [])
    while level:
        placed.update((name, Concept(name, above[name])) for name in level)
        lower = (name for parent in level for name in below.get(parent, []) if name not in placed)
        level = sorted(lower, key=place.__getitem__)
    for name, parent in above.items():
        if name not in placed:
            raise UnknownLabelError(f"{path}: {name!r} hangs below {parent!r}, which leads to no top")
    return list(placed.values())


def _stacked(rows: Sequence[Any], dim: int) -> Embeddings:
    shapes = {np.shape(row) for row in rows} - {(dim,)}
    if shapes:
        raise VectorError(f"vectors of a vocabulary differ in length: {dim} and {shapes.pop()}")
    with np.errstate(over="ignore"):  # what is too large for single precision is found to be not finite
        x = np.array(rows, np.float32).reshape(len(rows), dim)
    if not (np.isfinite(x).all() and np.abs(x).sum(axis=1).all()):
        raise VectorError("a vector of the vocabulary is not finite or all zero")
    return unit_rows(x)


def _plain(name: str) -> str:
    return " ".join(name.replace("_", " ").lower().split())
