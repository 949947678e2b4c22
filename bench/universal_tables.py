"""The tables of docs/universal.md, from `results/universal.json` and `results/unseen.json`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tabular import load, table

_KEYS = ("centred_cosine", "recall_at_10", "class_mean_accuracy", "zero_shot_caltech")
_UNSEEN = (16, 64)


def methods() -> str:
    """Every way on the main split, by bytes."""
    found = load("universal")
    lengths = list(found["main"]["universal"])
    rows = [[_bold(name), *(_cell(row[n]) for n in lengths)] for name, row in found["main"].items()]
    rows.append(["uncompressed, 2,048 bytes", _cell(found["uncompressed"]), *[""] * (len(lengths) - 1)])
    return table(["bytes", *lengths], rows)


def sets() -> str:
    """Class means on sets that no fit has seen: data-free codes beside profiles fitted on the other sets."""
    found, unseen = load("universal")["left_out"], load("unseen")
    fitted: dict[str, Any] = {}
    for key, split in unseen.items():
        if key.startswith("without "):
            fitted |= _by_set(split)
    header = [
        "class mean at",
        *(f"{name}, {n} bytes" for n in _UNSEEN for name in (*found, "fitted on other sets")),
    ]
    rows = []
    for name in found["universal"]:
        cells = []
        for n in map(str, _UNSEEN):
            cells += [_figure(rows_of[name][n]["class_mean_accuracy"]) for rows_of in found.values()]
            cells.append(_figure(fitted[name][n]["class_mean_accuracy"]))
        rows.append([name, *cells])
    return table(header, rows)


def whole() -> str:
    """Cosine and centred cosine on further sets."""
    found = load("universal")["whole"]
    lengths = list(next(iter(found["universal"].values())))
    rows = [
        [
            f"{name}, {code}",
            *(f"{_figure(row[n]['cosine'])} / {_figure(row[n]['centred_cosine'])}" for n in lengths),
        ]
        for name in found["universal"]
        for code, row in ((code, found[code][name]) for code in found)
    ]
    return table(["bytes", *lengths], rows)


def cost() -> str:
    """What it takes to make one, and to use it."""
    found = load("universal")
    rows = [
        [f"make it for {d} dimensions", f"{1000 * s:.0f} ms", ""] for d, s in found["seconds_to_make"].items()
    ]
    rates = found["vectors_per_cpu_s"]
    rows += [
        [f"{verb} {n} bytes", *(f"{rates[name][n][verb]:,} vectors/s" for name in ("universal", "fitted"))]
        for n in rates["universal"]
        for verb in ("encode", "decode")
    ]
    return table(["processor time of one core", "universal", "fitted"], rows)


def _by_set(split: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Figures of one leave-out split by set, then by bytes."""
    names = [name for name in next(iter(split["sememe"].values())) if name != "mean"]
    return {name: {n: row[name] for n, row in split["sememe"].items()} for name in names}


def _cell(row: Mapping[str, float]) -> str:
    return " / ".join(_figure(row[key]) for key in _KEYS)


def _figure(value: float) -> str:
    return f"{value:.3f}".removeprefix("0") if 0 <= value < 1 else f"{value:.3g}"


def _bold(name: str) -> str:
    return f"**{name}**" if name in ("universal", "informed") else name


TABLES: dict[str, Callable[[], str]] = {
    "universal_methods": methods,
    "universal_sets": sets,
    "universal_whole": whole,
    "universal_cost": cost,
}
