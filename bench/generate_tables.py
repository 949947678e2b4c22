"""The table of docs/generate.md, from `results/expected_fidelity.json`."""

from __future__ import annotations

from collections.abc import Callable

from tabular import load, table


def expected_fidelity() -> str:
    """What codes have lost, and what they lead one to expect."""
    rows = [
        [nbytes, *(_figure(row[key]) for key in ("cosine", "expected", "off_by", "correlation"))]
        for nbytes, row in load("expected_fidelity")["bytes"].items()
    ]
    return table(["bytes", "mean cosine", "mean estimate", "mean error of an estimate", "correlation"], rows)


def _figure(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")


TABLES: dict[str, Callable[[], str]] = {"expected_fidelity": expected_fidelity}
