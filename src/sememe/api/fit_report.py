"""The report of a fit in words: a few lines for a terminal, a page of Markdown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sememe.disk import writing
from sememe.errors import UsageError
from sememe.profile.own import AT, LONGEST, FitReport, Kept

SUFFIXES = (".json", ".md")
"""What a report can be written as."""


def check_report_name(path: str | Path) -> None:
    """Raise UsageError unless a report can be written to a file of that name."""
    if Path(path).suffix.lower() not in SUFFIXES:
        raise UsageError(f"{path}: a report is written as {' or '.join(SUFFIXES)}")


def write_report(path: str | Path, report: FitReport, about: Mapping[str, Any]) -> None:
    """Write a report.

    Parameters
    ----------
    path : str or Path
        Its suffix decides: `.json` for `about` and `FitReport.to_json`, `.md` for `as_markdown`.
    report : FitReport
    about : mapping
        The profile's `profile`, `fingerprint`, `space` and `dim`; what else there is goes into the JSON.

    Raises
    ------
    UsageError
        Another suffix.
    StorageError
        The file cannot be written.
    """
    check_report_name(path)
    whole = Path(path).suffix.lower() == ".json"
    fields = {**about, **report.to_json()}
    text = json.dumps(fields, indent=1) + "\n" if whole else as_markdown(report, about)
    with writing(path) as file:
        file.write(text.encode())


def as_text(report: FitReport) -> str:
    """A few lines: how it was made, what it keeps, the verdict."""
    rows = _table(report)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join([f"{_made(report)}; {_parts(report)}", *lines, report.verdict])


def as_markdown(report: FitReport, about: Mapping[str, Any]) -> str:
    """A page: what it is, what it keeps beside what the known profile keeps, what to beware of."""
    header, *rows = _table(report) or [[]]
    table = [header, ["---"] * len(header), *rows] if header else []
    parts = [
        f"# Profile {about['profile']}",
        f"**{report.verdict[0].upper()}{report.verdict[1:]}.**",
        _origin(report, about),
        "\n".join(f"| {' | '.join(row)} |" for row in table),
        _caption(report),
        "\n".join(f"* {line}" for line in report.warnings),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _origin(report: FitReport, about: Mapping[str, Any]) -> str:
    what = f"Fingerprint {about['fingerprint']:.8}, space {about['space']}, {about['dim']} dimensions"
    return f"{what}, {_made(report)}. {_parts(report).capitalize()}. Seed {report.seed}."


def _made(report: FitReport) -> str:
    if report.method == "adapted":
        return f"{report.base} adapted: its {report.modes} modes, as often as they occur here"
    prior = f", with {report.drawn} vectors drawn from {report.base}" if report.drawn else ""
    return f"fitted: {report.modes} modes of its own{prior}"


def _parts(report: FitReport) -> str:
    drawn = f"{report.used:,} of {report.vectors:,}" if report.used < report.vectors else f"{report.used:,}"
    made = f"made from {drawn}"
    if not report.held_out:
        return made
    return f"{made}, judged on {report.held_out:,} after learning from {report.trained:,} others"


def _table(report: FitReport) -> list[list[str]]:
    """Header and rows; nothing if nothing was held out."""
    if not report.rates:
        return []
    rows = [["bytes", "cosine", "centred cosine", "recall@10"]]
    rows += [[str(kept.nbytes), *_figures(kept)] for kept in report.rates]
    found = report.comparison
    if found is not None:
        rows[0] += [f"{report.base}: {name}" for name in ("centred cosine", "recall@10", "bytes")]
        for row, kept, needed in zip(rows[1:], found.base, found.base_bytes, strict=True):
            row += [*_figures(kept)[1:], f"> {LONGEST}" if needed is None else f"{needed:.1f}"]
    return rows


def _figures(kept: Kept) -> list[str]:
    pairs = (
        (kept.cosine, kept.cosine_se),
        (kept.centred_cosine, kept.centred_cosine_se),
        (kept.recall_at_10, kept.recall_at_10_se),
    )
    return ["-" if mean is None else f"{mean:.3f} ± {error:.3f}" for mean, error in pairs]


def _caption(report: FitReport) -> str:
    if not report.rates:
        return ""
    text = (
        "Figures are means over held-out vectors ± one standard error. *Centred cosine*: after the mean of "
        "the training vectors was taken off. *Recall@10*: half of the held-out vectors search the other "
        "half; what share of their ten nearest is still among the ten nearest decoded ones."
    )
    if report.comparison is None:
        return text
    return (
        f"{text} *{report.base}: bytes*: where that profile has the centred cosine of this one, read off its "
        f"own curve. The verdict is about {AT} bytes."
    )
