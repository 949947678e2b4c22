"""The table of docs/durability.md, from `results/faults.json`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tabular import load, table


def faults() -> str:
    """Kills of every operation, and what they cost."""
    found = load("faults")
    rows = [[name, str(count), "0"] for name, count in found["kills"].items()]
    rows.append(["**together**", f"**{found['total']}**", f"**{found['acknowledged_and_lost']}**"])
    return table(["killed while it did this", "kills", "of them with a loss or damage"], rows)


TABLES: Mapping[str, Callable[[], str]] = {"faults": faults}
