"""Tables of what the built-in generator draws."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tabular import load, table


def judged() -> str:
    """Every way to draw, on pictures of known and of unseen sources."""
    found = load("draw")
    rows = [
        [kind, name, *_figures(row)] for kind, ways in found["kinds"].items() for name, row in ways.items()
    ]
    header = [
        "pictures of",
        "drawn from",
        "cosine: drawn / chance / difference",
        "judge: five classes shared",
        "× chance",
    ]
    return table([*header, "judge: first among five", "× chance", "colour error"], rows)


def facts() -> str:
    """Size, speed, bytes."""
    found = load("draw")
    rows = [
        ["size of all files", f"{found['megabytes']} MB"],
        ["a picture, on one core", f"{found['seconds']['processor_s']:.2f} s"],
        ["a colour layout, on average", f"{found['colour_bytes']} bytes"],
        ["pictures judged, of each kind", str(found["pictures"])],
    ]
    return table(["what", "measured"], rows)


def _figures(row: dict[str, Any]) -> list[str]:
    cosine, overlap, first, colour = (
        row[key] for key in ("cosine", "judge_overlap", "judge_first", "colour_error")
    )
    return [
        f"{cosine['drawn']:.3f} / {cosine['chance']:.3f} / **{cosine['above_chance']:.3f}**",
        f"{overlap['drawn']:.3f}",
        f"**{overlap['times_chance']:.1f}**",
        f"{first['drawn']:.3f}",
        f"**{first['times_chance']:.1f}**",
        f"{colour['drawn']:.0f} ({colour['chance']:.0f})",
    ]


TABLES: dict[str, Callable[[], str]] = {"draw_judged": judged, "draw_facts": facts}
