"""Tables of `results/frontier.json`: every coder that was measured, on the splits of the benchmark."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from frontier import BYTES, MAIN
from sememe.evaluate.tables import figure, is_ours, size
from tabular import load, table

_Row = dict[str, Any]


def main_split() -> str:
    """What each coder keeps of vectors like those it learnt from."""
    return _figures(("centred_cosine", "recall_at_10", "zero_shot"))


def tasks() -> str:
    """What texts see of it, and classification by class means."""
    return _figures(("text_recall_at_10", "text_agreement", "class_mean"))


def unseen() -> str:
    """Share of class-mean accuracy kept on sets left out of the fit: average over the sets, and the worst."""

    def cell(found: Sequence[_Row]) -> str:
        kept = [
            figures["class_mean_kept"] for row in found for figures in row["figures"]["sets"].values()
        ]  # fmt: skip
        return f"{figure(float(np.mean(kept)))} ({figure(min(kept))})"

    return _by_bytes(_sections(left_out=True), cell)


def unseen_distance() -> str:
    """Centred cosine and recall@10 on sets left out of the fit, averaged over the sets."""

    def cell(found: Sequence[_Row]) -> str:
        sets = [figures for row in found for figures in row["figures"]["sets"].values()]
        return " / ".join(
            figure(float(np.mean([figures[key] for figures in sets])))
            for key in ("centred_cosine", "recall_at_10")
        )

    return _by_bytes(_sections(left_out=True), cell)


def needed() -> str:
    """Bytes needed on the main split, and for the class means of each set left out."""
    (main,) = _sections(left_out=False)
    left = _sections(left_out=True)
    names = [(section, name) for section in left for name in section["sets"]]
    header = ["", "zero-shot", "class mean", "recall@10", *(f"{name}, left out" for _, name in names)]
    rows = []
    for coder in _coders([main]):
        all_of = _needs(main, coder["coder"], "all")
        cells = [_need(all_of[key]) for key in ("zero_shot", "class_mean", "recall_at_10")]
        cells += [_need(_needs(section, coder["coder"], name)["class_mean"]) for section, name in names]
        rows.append([_title(coder), *cells])
    return table(header, rows)


def cost() -> str:
    """Speed, tables and training at 16 bytes, or at the rate nearest to it."""
    (main,) = _sections(left_out=False)
    rows = []
    for coder in _coders([main]):
        row = min(_rows(main, coder["coder"]), key=lambda one: abs(np.log(one["rate"] / 16)))
        speeds = [f"{row['speed'][key]:,}" for key in ("encode_per_cpu_s", "decode_per_cpu_s")]
        seconds = row["train_cpu_seconds"] + row["fit_cpu_seconds"]
        cells = [f"{row['rate']:g}", *speeds, size(row["table_bytes"]), f"{seconds:,.0f} s"]
        rows.append([_title(coder), *cells])
    header = ["", "bytes", "encoded in a second", "decoded in a second", "tables", "training"]
    return table(header, rows)


TABLES: dict[str, Callable[[], str]] = {
    "frontier": main_split,
    "frontier_tasks": tasks,
    "frontier_unseen": unseen,
    "frontier_unseen_distance": unseen_distance,
    "frontier_needed": needed,
    "frontier_cost": cost,
}


def _figures(keys: Iterable[str]) -> str:
    keys = tuple(keys)
    (main,) = sections = _sections(left_out=False)

    def write(figures: _Row) -> str:
        return " / ".join(figure(figures[key]) for key in keys)

    last = ["uncompressed", *[""] * len(BYTES), f"{4 * main['dim']:,}: {write(main['uncompressed']['all'])}"]
    return _by_bytes(sections, lambda found: write(found[0]["figures"]["all"]), last)


def _by_bytes(
    sections: Sequence[_Row], cell: Callable[[Sequence[_Row]], str], last: Sequence[str] | None = None
) -> str:
    """One line for each coder, one column for each rate; rates beside those of the columns come last."""
    lines = []
    for coder in _coders(sections):
        runs = [{row["rate"]: row for row in _rows(section, coder["coder"])} for section in sections]
        rates = [rate for rate in sorted(runs[0]) if all(rate in run for run in runs)]
        cells = dict.fromkeys(BYTES, "")
        others = []
        for rate in rates:
            found = [run[rate] for run in runs]
            if rate in cells:
                cells[int(rate)] = cell(found) + _beside(found)
            else:
                others.append(f"{rate:g}: {cell(found)}{_beside(found)}")
        lines.append([_title(coder), *cells.values(), ", ".join(others)])
    header = ["bytes", *map(str, BYTES), "others"]
    lines += [list(last)] if last else []
    if not any(line[-1] for line in lines):
        header, lines = header[:-1], [line[:-1] for line in lines]
    return table(header, lines)


def _beside(found: Sequence[_Row]) -> str:
    """The bytes that a coder of varying length took in the mean."""
    if found[0]["length"] == "fixed":
        return ""
    return f" at {np.mean([row['figures']['all']['bytes_mean'] for row in found]):.1f}"


def _sections(*, left_out: bool) -> list[_Row]:
    return [one for one in load("frontier")["trials"] if (one["name"] != MAIN) == left_out]


def _rows(section: _Row, coder: str) -> list[_Row]:
    return [row for row in section["rows"] if row["coder"] == coder and row["error"] is None]


def _coders(sections: Sequence[_Row]) -> list[_Row]:
    """One row of each coder measured in all sections: ours first, then fixed ones, then the others."""
    names = dict.fromkeys(row["coder"] for row in sections[0]["rows"])
    runs = [[_rows(section, name) for section in sections] for name in names]
    shared = [rows[0][0] for rows in runs if all(rows)]
    return sorted(shared, key=lambda row: (not is_ours(row["source"]), row["length"] != "fixed"))


def _title(row: _Row) -> str:
    return f"**{row['title']}**" if is_ours(row["source"]) else str(row["title"])


def _needs(section: _Row, coder: str, part: str) -> _Row:
    """Bytes that a coder needs on all of a trial or on one set; nothing known where it was not measured."""
    for run in section["needed"]:
        if run["coder"] == coder:
            found: _Row = run["all"] if part == "all" else run["sets"][part]
            return found
    return dict.fromkeys(("zero_shot", "class_mean", "recall_at_10"))


def _need(need: _Row | None) -> str:
    if need is None:
        return ""
    return {"interpolated": "", "at most": "≤ ", "not reached": "more"}[need["how"]] + (
        "" if need["bytes"] is None else f"{need['bytes']:.3g}"
    )


if __name__ == "__main__":
    for make in TABLES.values():
        print(make())
