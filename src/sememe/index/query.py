"""Query arithmetic: ``horse + stripes``, ``./pool.jpg + 2:golden retriever - fruit``.

The grammar is that of rclip, so that fingers need not learn another::

    query   = ["-"] term { ("+" | "-") term }        operators stand alone, between spaces
    term    = [weight ":"] value                     weight: a positive decimal number
    value   = path of a picture or .sem file | text
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from sememe.errors import UsageError

TermKind: TypeAlias = Literal["text", "image", "sem"]

_SUFFIXES = """
.avif .bmp .gif .heic .heif .j2k .jfif .jp2 .jpe .jpeg .jpg .pbm .pgm .png .ppm .tga .tif .tiff .webp
"""
PICTURES = frozenset(_SUFFIXES.split())
"""Suffixes that mark a file as a picture, lower case."""

_WEIGHT = re.compile(r"(\d+(?:\.\d*)?|\.\d+):(.+)", re.DOTALL)
_OPERATOR = re.compile(r"(?:^|(?<=\s))([+-])(?=\s)")


@dataclass(frozen=True, slots=True)
class QueryTerm:
    """One term as written: `sign` is 1 or -1, `weight` is positive, `value` a text or a path."""

    sign: int
    weight: float
    kind: TermKind
    value: str


def parse_query(tokens: str | Sequence[str]) -> list[QueryTerm]:
    """Parse a query as typed on a command line.

    Parameters
    ----------
    tokens : str or sequence of str
        Words as the shell split them; words between two operators make one text. A single string may hold
        operators between spaces. A token that is a path is never split.

    Returns
    -------
    list of QueryTerm
        At least one.

    Raises
    ------
    UsageError
        The query is empty, an operator lacks a term, a weight is 0, or a path stands beside words.
    """
    items = [tokens] if isinstance(tokens, str) else list(tokens)
    if not any(item in ("+", "-") for item in items):
        items = [part for item in items for part in _split(item)]
    terms = [_term(sign, words) for sign, words in _groups(items)]
    if not terms:
        raise UsageError("the query is empty: give a text, or the path of a picture or .sem file")
    return terms


def _split(item: str) -> list[str]:
    if _kind(item) != "text":
        return [item]
    return [part for piece in _OPERATOR.split(item) if (part := piece.strip())]


def _groups(items: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Cut the tokens at operators: sign and words of each term."""
    sign, words = 1, list[str]()
    for position, item in enumerate(items):
        if item not in ("+", "-"):
            words.append(item)
            continue
        if words:
            yield sign, words
        elif position:
            raise UsageError(f"the query has nothing before {item!r}: put a term between two operators")
        sign, words = (1 if item == "+" else -1), []
    if words:
        yield sign, words
    elif items:
        raise UsageError(f"the query ends with {items[-1]!r}: put a term after it")


def _term(sign: int, words: list[str]) -> QueryTerm:
    text = " ".join(" ".join(words).split()) if len(words) > 1 else words[0]
    match = _WEIGHT.fullmatch(text.strip())
    weight, value = (float(match[1]), match[2].strip()) if match else (1.0, text.strip())
    if not value:
        raise UsageError("the query has an empty term: give a text or a path")
    if not 0 < weight < 1e6:
        raise UsageError(f"{text}: a weight is a positive number; to take something away write - {value}")
    paths = [word for word in words if _kind(_WEIGHT.sub(r"\2", word)) != "text"]
    if len(words) > 1 and paths:
        raise UsageError(f"{paths[0]} stands beside other words: put + or - between a path and a text")
    return QueryTerm(sign, weight, _kind(value), value)


def _kind(value: str) -> TermKind:
    suffix = Path(value).suffix.lower()
    if suffix == ".sem":
        return "sem"
    return "image" if suffix in PICTURES else "text"
