"""Exact search of text, picture and mixed queries among decoded vectors."""

from __future__ import annotations

from .query import PICTURES, QueryTerm, TermKind, parse_query
from .search import CHUNK, Hit, Vectors, best_rows, chunks, score_all, search

__all__ = [
    "CHUNK",
    "PICTURES",
    "Hit",
    "QueryTerm",
    "TermKind",
    "Vectors",
    "best_rows",
    "chunks",
    "parse_query",
    "score_all",
    "search",
]
