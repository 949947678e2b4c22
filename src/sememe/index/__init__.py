"""Exact search of text, picture and mixed queries among decoded vectors."""

from __future__ import annotations

from sememe.index.query import PICTURES, QueryTerm, TermKind, parse_query
from sememe.index.search import CHUNK, Hit, Vectors, best_rows, candidates, chunks, search

__all__ = [
    "CHUNK",
    "PICTURES",
    "Hit",
    "QueryTerm",
    "TermKind",
    "Vectors",
    "best_rows",
    "candidates",
    "chunks",
    "parse_query",
    "search",
]
