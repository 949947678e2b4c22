"""The table of `docs/serve.md`, from `results/page.json`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tabular import load, table


def page() -> str:
    """How fast the page answers, alone and together."""
    found = load("page")
    together = found["together"]
    rows = [
        ["first results of a new query", _spread(found["first_results_ms"])],
        ["a step of the slider", _spread(found["slider_step_ms"])],
        ["browsing without a query", _spread(found["browse_ms"])],
        ["what survives of one image, at all lengths", _spread(found["explain_ms"])],
        [
            f"{together['users']} people at once, all queries different, {together['seconds']:.0f} s",
            _together(together),
        ],
        ["processor time of one search among these", f"{together['processor_ms_per_search']} ms"],
        ["the first time an archive is served: everything ready after", f"{found['prepared_s']:.0f} s"],
        ["memory of the server, at most", f"{found['server_megabytes']:,} MB"],
    ]
    machine = (
        f"{found['machine']['cores']} cores of {found['machine']['cpu']}, the askers on the same, "
        f"beside other work (load average {found['load_of_others']})"
    )
    return table([f"{found['images']:,} images, {found['nbytes']} bytes each", machine], rows)


def _together(found: dict[str, Any]) -> str:
    rate = f"**{found['searches_per_s']:.0f} searches/s**, {found['errors']} errors"
    return f"{rate}; median {found['ms']['median']:.0f} ms, 99 % within {found['ms']['p99']:.0f} ms"


def _spread(found: dict[str, Any]) -> str:
    return f"median {found['median']:.0f} ms, 95 % within {found['p95']:.0f} ms"


TABLES: dict[str, Callable[[], str]] = {"page": page}
