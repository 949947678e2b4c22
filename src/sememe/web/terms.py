"""A query as typed into a page: words, an item's id, or a code. Never a path, whatever it looks like."""

from __future__ import annotations

from typing import Literal, NamedTuple

from sememe.errors import UsageError
from sememe.index import parse_query

__all__ = ["MOST", "Asked", "read_terms"]

MOST = 16
"""Terms of one query, at the most."""

_LONGEST = 500  # characters of a query


class Asked(NamedTuple):
    """One term: its weight is below 0 for what is not wanted."""

    kind: Literal["text", "item", "code"]
    value: str
    weight: float


def read_terms(query: str) -> list[Asked]:
    """Read a query such as ``two parrots + id:12 - cage`` or ``code:8f3a…``.

    Raises
    ------
    UsageError
        It is empty, too long, or makes no sense.
    """
    if len(query) > _LONGEST:
        raise UsageError(f"a query takes at most {_LONGEST} characters")
    terms = [_asked(term.value, term.sign * term.weight) for term in parse_query(query)]
    if len(terms) > MOST:
        raise UsageError(f"a query takes at most {MOST} terms")
    return terms


def _asked(value: str, weight: float) -> Asked:
    kind, _, rest = value.partition(":")
    if kind == "id" and rest.isdecimal() and len(rest) < 14:
        return Asked("item", rest, weight)
    if kind == "code" and rest and len(rest) % 2 == 0 and all(c in "0123456789abcdef" for c in rest):
        return Asked("code", rest, weight)
    return Asked("text", value, weight)
