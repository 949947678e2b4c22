"""Search of text, picture and mixed queries among decoded vectors.

A small collection is decoded whole for each query. A large one has a *shortlist* in the cache beside its
archive: a fast scan names some hundred rows, which alone are decoded, calibrated and ranked.
"""

from __future__ import annotations

from sememe.index.cache import LARGE, Cache, Tell
from sememe.index.duplicates import COPY, Pairs, keepers, near_pairs
from sememe.index.layout import gather, lay_out
from sememe.index.query import PICTURES, QueryTerm, TermKind, parse_query
from sememe.index.search import CHUNK, Hit, Vectors, best_rows, candidates, chunks, search
from sememe.index.shortlist import Shortlist

__all__ = [
    "CHUNK",
    "COPY",
    "LARGE",
    "PICTURES",
    "Cache",
    "Hit",
    "Pairs",
    "QueryTerm",
    "Shortlist",
    "Tell",
    "TermKind",
    "Vectors",
    "best_rows",
    "candidates",
    "chunks",
    "gather",
    "keepers",
    "lay_out",
    "near_pairs",
    "parse_query",
    "search",
]
