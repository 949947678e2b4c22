"""Reports as tables, in Markdown and in HTML: rows at one rate together, the best first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

from sememe.errors import UsageError
from sememe.evaluate.needed import MARKS
from sememe.evaluate.report import Row, Section, measured

__all__ = [
    "Table",
    "both",
    "figure",
    "figures_table",
    "html",
    "is_ours",
    "markdown",
    "needed_table",
    "select",
    "size",
]


class Table(NamedTuple):
    """Cells of text; `ours` are the rows of this project's own coders."""

    header: list[str]
    rows: list[list[str]]
    ours: frozenset[int] = frozenset()


_CODER = "coder"

_COLUMNS: tuple[tuple[str, str], ...] = (
    ("cosine", "cosine"),
    ("centred_cosine", "centred cosine"),
    ("recall_at_10", "recall@10"),
    ("text_recall_at_10", "text recall@10"),
    ("zero_shot", "zero-shot"),
    ("zero_shot_top5", "top-5"),
    ("class_mean", "class mean"),
    ("text_agreement", "text agreement"),
)


def is_ours(source: str) -> bool:
    """Whether a coder is this project's own, by the source that it names."""
    return source.startswith("this project")


def select(verdict: Mapping[str, Any], which: str) -> Mapping[str, Any]:
    """Figures over "all" test vectors, their "mean" over sets, or of one set by its name.

    Raises
    ------
    UsageError
        There is no set of that name.
    """
    parts = {**verdict["sets"], "all": verdict["all"], "mean": verdict["mean"]}
    if which not in parts:
        raise UsageError(f"no set is called {which!r}; there are {', '.join(parts)}")
    found: Mapping[str, Any] = parts[which]
    return found


def figures_table(section: Section, which: str = "all") -> Table:
    """What each coder keeps at each rate, and what the vectors themselves give, last."""
    rows = sorted(measured(section), key=lambda row: _rank(row, which))
    listed = [select(row["figures"], which) for row in rows]
    whole = select(section["uncompressed"], which)
    columns = [(key, title) for key, title in _COLUMNS if whole[key] is not None]
    bpp = whole["bpp"] is not None
    header = ["bytes", _CODER, *(["bits/pixel"] if bpp else []), *(title for _, title in columns)]
    header += ["encoded/CPU s", "decoded/CPU s", "tables"]
    cells = []
    for row, figures in zip(rows, listed, strict=True):
        speeds = [f"{row['speed'][key]:,}" for key in ("encode_per_cpu_s", "decode_per_cpu_s")]
        kept = _cells(figures, columns, bpp)
        cells.append([_length(row, figures), row["title"], *kept, *speeds, size(row["table_bytes"])])
    last = [f"{whole['bytes_mean']:,.0f}", "uncompressed", *_cells(whole, columns, bpp), "", "", ""]
    return Table(header, [*cells, last], _ours(rows))


def needed_table(section: Section, which: str = "all") -> Table:
    """Bytes that each coder needs; a coder or mark without an answer has a dash."""
    titles = {row["coder"]: row["title"] for row in section["rows"]}
    sources = {row["coder"]: row["source"] for row in section["rows"]}
    runs = section["needed"]
    found = [select(run, which) for run in runs]
    keys = [key for key in MARKS if any(needs[key] is not None for needs in found)]
    rows = [
        [titles[run["coder"]], *(_need(needs[key]) for key in keys)]
        for run, needs in zip(runs, found, strict=True)
    ]
    ours = frozenset(i for i, run in enumerate(runs) if is_ours(sources[run["coder"]]))
    return Table([_CODER, *(f"bytes for {MARKS[key][0]}" for key in keys)], rows, ours)


def both(section: Section, which: str = "all", kind: str = "md") -> str:
    """What was judged in a sentence, then both tables, as "md" or "html".

    Raises
    ------
    UsageError
        The trial has no set of that name.
    """
    counts, write = section["counts"], html if kind == "html" else markdown
    told = (
        f"{section['name']}: {counts['test']:,} test vectors, {counts['queries']:,} queries, "
        f"{counts['train']:,} to learn from; trial {section['digest'][:12]}"
    )
    told = f"<p>{escape(told)}</p>" if kind == "html" else f"{told}\n"
    needed = needed_table(section, which)
    tables = [figures_table(section, which), *([needed] if needed.rows and len(needed.header) > 1 else [])]
    return "\n".join([told, *(write(table) for table in tables)]).rstrip("\n")


def markdown(table: Table) -> str:
    """Write a table in Markdown; our own coders are bold."""
    named = table.header.index(_CODER)
    lines = [table.header, ["---"] * len(table.header), *map(list, table.rows)]
    for i in table.ours:
        lines[i + 2][named] = f"**{lines[i + 2][named]}**"
    escaped = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    return "".join(f"| {' | '.join(line)} |\n" for line in escaped)


def html(table: Table) -> str:
    """Write a table in HTML; our own rows have the class "ours"."""
    head = "".join(f"<th scope='col'>{escape(cell)}</th>" for cell in table.header)
    marks = [" class='ours'" if i in table.ours else "" for i in range(len(table.rows))]
    body = "".join(f"<tr{mark}>{_join(row)}</tr>\n" for mark, row in zip(marks, table.rows, strict=True))
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>\n"


def figure(value: float | None) -> str:
    """Write a share or a cosine: .934, and 1 for one."""
    if value is None:
        return ""
    return "1" if value == 1 else f"{value:.3f}".replace("0.", ".", 1)


def size(nbytes: int | None) -> str:
    """Write a size for people: 812 B, 7.7 MB."""
    if nbytes is None:
        return ""
    for unit, scale in (("MB", 1e6), ("kB", 1e3)):
        if nbytes >= scale:
            return f"{nbytes / scale:.3g} {unit}"
    return f"{nbytes} B"


def _rank(row: Row, which: str) -> tuple[float, float]:
    return row["rate"], -select(row["figures"], which)["centred_cosine"]


def _length(row: Row, figures: Mapping[str, Any]) -> str:
    if row["length"] == "fixed":
        return f"{figures['bytes_max']:,.0f}"
    return f"{figures['bytes_mean']:,.1f} ({figures['bytes_p5']:,.0f} to {figures['bytes_p95']:,.0f})"


def _cells(figures: Mapping[str, Any], columns: Iterable[tuple[str, str]], bpp: bool) -> list[str]:
    rate = [f"{figures['bpp']:.2g}"] if bpp else []
    return [*rate, *(figure(figures[key]) for key, _ in columns)]


def _need(need: Mapping[str, Any] | None) -> str:
    if need is None:
        return ""
    words: dict[str, Callable[[], str]] = {
        "interpolated": lambda: f"{need['bytes']:.3g}",
        "at most": lambda: f"≤ {need['bytes']:.3g}",
        "not reached": lambda: "–",
    }
    return words[need["how"]]()


def _ours(rows: Sequence[Row]) -> frozenset[int]:
    return frozenset(i for i, row in enumerate(rows) if is_ours(row["source"]))


def _join(row: Sequence[str]) -> str:
    return "".join(f"<td>{escape(cell)}</td>" for cell in row)
