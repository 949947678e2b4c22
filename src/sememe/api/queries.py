"""A query as typed or given, as a vector in the centred space."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sememe.api.files import read_sem
from sememe.api.identity import check_record
from sememe.api.space import PLAIN, Space
from sememe.errors import UsageError
from sememe.index import QueryTerm, parse_query
from sememe.metrics.calibration import Background, Kind, Query, Term

if TYPE_CHECKING:
    from PIL.Image import Image

QueryLike: TypeAlias = "str | Sequence[str] | Path | Image | NDArray[np.floating]"
"""A query as typed, a path, a Pillow image, or a picture vector (d,)."""


def make_query(query: QueryLike, space: Space) -> tuple[Query, Background]:
    """Embed the terms of a query, and measure what chance is for queries of its kind.

    Raises
    ------
    UsageError
        The query makes no sense.
    InputError
        A picture or `.sem` file cannot be read.
    ProfileMismatchError
        A `.sem` file was made with another profile.
    """
    terms = _terms(query, space)
    has_text = any(term.kind == "text" for term in terms)
    background = space.background(PLAIN if has_text else None)
    return background.query(terms), background


def _terms(query: QueryLike, space: Space) -> list[Term]:
    if isinstance(query, np.ndarray):
        if query.shape != (space.profile.dim,):
            raise UsageError(f"a query vector has shape ({space.profile.dim},), not {query.shape}")
        return [Term(query, "image")]
    if isinstance(query, Path):
        query = [str(query)]
    if isinstance(query, str | Sequence):
        return [_embed(term, space) for term in parse_query(query)]
    return [Term(_image(query, space), "image")]


def _embed(term: QueryTerm, space: Space) -> Term:
    weight = term.sign * term.weight
    if term.kind == "text":
        return Term(space.embed_texts([term.value])[0], "text", weight)
    kind: Kind = "image"
    if term.kind == "image":
        return Term(_image(term.value, space), kind, weight)
    record = read_sem(term.value)
    check_record(record, space.profile)
    code = np.frombuffer(record.payload, np.uint8)[None]
    return Term(space.profile.decode(code)[0], kind, weight)


def _image(image: str | Image, space: Space) -> NDArray[np.float32]:
    opened = space.open(image)
    if opened.error is not None:
        raise opened.error
    assert opened.image is not None, "what has no error has a picture"
    row: NDArray[np.float32] = space.embed_images([opened.image])[0]
    return row
