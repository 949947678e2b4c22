"""The tables of docs/fit.md, from `results/fit.json`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tabular import load, table

_NAMES = {"fgvc": "aircraft", "food101": "dishes", "sun397": "places"}


def fit_kinds() -> str:
    """What own profiles need for the fidelity that 16 bytes of the known one have, on fresh vectors."""
    rows = []
    for kind, bases in load("fit")["kinds"].items():
        for base, sizes in bases.items():
            for vectors, row in sizes.items():
                fresh = row["fresh"]["16"]
                rows.append(
                    [
                        _NAMES[kind],
                        base,
                        f"{int(vectors):,}",
                        row["method"],
                        f"{_figure(fresh['base'])} → {_figure(fresh['centred_cosine'])}",
                        _saving(row),
                    ]
                )
    head = [
        "pictures of",
        "known profile",
        "vectors",
        "way",
        "centred cosine, 16 bytes",
        "bytes saved (95 %)",
    ]
    return table(head, rows)


def fit_sizes() -> str:
    """What a fit costs."""
    rows = [
        [f"{int(n):,}", f"{row['used']:,}", row["method"], f"{row['cpu_s']:.0f} s", f"{row['peak_mb']:,} MB"]
        for n, row in load("fit")["sizes"].items()
    ]
    return table(["vectors", "used", "way", "processor time", "peak memory"], rows)


def _saving(row: dict[str, Any]) -> str:
    low, middle, high = row["fresh_saving"]
    return f"{100 * middle:.0f} % ({100 * low:.0f} to {100 * high:.0f})"


def _figure(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")


TABLES: dict[str, Callable[[], str]] = {"fit_kinds": fit_kinds, "fit_sizes": fit_sizes}
