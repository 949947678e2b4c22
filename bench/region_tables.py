"""The tables of `docs/find.md`, from `results/regions.json`."""

from __future__ import annotations

from collections.abc import Callable

from tabular import load, table

WAYS = {
    "float": "the same regions, float vectors",
    "equal": "the same regions, all of one length",
    "unpredicted": "without prediction from the whole",
    "known": "windows that the whole explains left out",
    "alone": "each window for itself: overlaps not weighed",
    "spread": "windows spread evenly, one length, no prediction",
}
#: Budget in bytes at which the ways are compared.
MAIN = 96


def regions() -> str:
    """Pointing by budget, both parts and each layout."""
    found = load("regions")
    rows = [_row(f"{budget} B", f"ours, {budget}") for budget in (48, 96, 192)]
    rows.append(_row("all windows, float", "all windows, float"))
    header = ["regions may add", "file: mean (least–most)", "regions", "pointing", "any box", "IoU"]
    return table([*header, "beside", "above", "pasted", *(f"part {part}" for part in found["sources"])], rows)


def region_ways() -> str:
    """What each idea is worth at one budget."""
    found = load("regions")["both"]
    rows = [["as shipped", *_figures(found[f"ours, {MAIN}"])]]
    rows += [[name, *_figures(found[f"{way}, {MAIN}"])] for way, name in WAYS.items()]
    return table([f"{MAIN} bytes", "file: mean", "pointing", "95 %", "IoU"], rows)


def _row(name: str, key: str) -> list[str]:
    found = load("regions")
    both = found["both"][key]
    least, most = both["bytes_least_and_most"]
    size = f"{both['bytes']:,.0f} ({least:,}–{most:,})"
    figures = [
        size,
        f"{both['regions']}",
        f"**{both['pointing']}**",
        f"{both['any_box']}",
        f"{both['iou']:.2f}",
    ]
    layouts = [f"{both[layout]}" for layout in ("beside", "above", "pasted")]
    parts = [f"{found[f'part_{part}'][key]['pointing']}" for part in found["sources"]]
    return [name, *figures, *layouts, *parts]


def _figures(found: dict[str, float | list[float]]) -> list[str]:
    low, high = found["interval"]  # type: ignore[misc]
    return [f"{found['bytes']:,.0f}", f"{found['pointing']}", f"{low}–{high}", f"{found['iou']:.2f}"]


TABLES: dict[str, Callable[[], str]] = {"regions": regions, "region_ways": region_ways}
