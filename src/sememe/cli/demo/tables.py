"""The demo's report as text for a terminal, and as fields for `--json`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import mean
from typing import Any

from sememe.report import Photo, Report, ScoredLabel, Search


def text(report: Report) -> str:
    """Return four tables: photographs, searches, what cutting changes, what picture codecs need."""
    kept = report.levels[-1]
    parts = [
        f"{len(report.photos)} photographs, {kept} bytes each; labels among {len(report.candidates)} words",
        _table(
            ("photo", "bytes", "pixels", "bits/pixel", "cosine", "labels"),
            [_row(p, kept) for p in report.photos],
        ),
        "searches over the codes",
        "\n".join(_search(search, report, kept) for search in report.searches),
        "the front of a code is a code: what is left of each at fewer bytes",
        _table(_cut_head(report), [_cut_row(photo, report.levels) for photo in report.photos]),
        "bytes of the smallest file that picture codecs make of these pictures, on average",
        _table(("", "whole picture", "32 pixels wide"), _sizes(report)),
    ]
    return "\n\n".join(parts)


def fields(report: Report) -> dict[str, Any]:
    """Return everything that the report says, with stable keys."""
    return {
        "photos": [_photo_fields(photo, report) for photo in report.photos],
        "searches": [
            {"query": search.query, "hits": {str(n): _hit_fields(search, report, n) for n in report.levels}}
            for search in report.searches
        ],
    }


def _row(photo: Photo, level: int) -> tuple[str, ...]:
    rate = 8 * level / photo.pixels
    return (
        photo.name,
        str(level),
        f"{photo.pixels:,}",
        f"{rate:.5f}",
        f"{photo.fidelity[level]:.3f}",
        ", ".join(f"{label.text} ({label.strength})" for label in photo.labels[level]),
    )


def _search(search: Search, report: Report, level: int) -> str:
    hits = [f"{report.photos[hit.photo].name} ({hit.strength})" for hit in search.hits[level][:3]]
    return f"  {search.query}: {', '.join(hits)}"


def _cut_head(report: Report) -> tuple[str, ...]:
    return ("photo", *(f"{level} bytes" for level in reversed(report.levels)))


def _cut_row(photo: Photo, levels: Sequence[int]) -> tuple[str, ...]:
    return (photo.name, *(f"{photo.fidelity[n]:.3f} {_best(photo.labels[n])}" for n in reversed(levels)))


def _best(labels: Sequence[ScoredLabel]) -> str:
    return f"{labels[0].text} ({labels[0].strength})" if labels else ""


def _sizes(report: Report) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("sememe", str(report.levels[-1]), "")]
    for codec in report.photos[0].rivals:
        whole = mean(photo.rivals[codec] for photo in report.photos)
        small = mean(photo.thumbnails[codec] for photo in report.photos)
        rows.append((codec, f"{whole:,.0f}", f"{small:,.0f}"))
    return rows


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _photo_fields(photo: Photo, report: Report) -> dict[str, Any]:
    kept = report.levels[-1]
    return {
        "name": photo.name,
        "nbytes": kept,
        "code": photo.code.hex(),
        "width": photo.width,
        "height": photo.height,
        "bpp": 8 * kept / photo.pixels,
        "levels": {
            str(n): {"cosine": round(photo.fidelity[n], 6), "labels": _label_fields(photo.labels[n])}
            for n in report.levels
        },
        "rivals": dict(photo.rivals),
        "thumbnails": dict(photo.thumbnails),
    }


def _label_fields(labels: Sequence[ScoredLabel]) -> list[dict[str, Any]]:
    return [
        {"label": one.text, "probability": round(one.score, 4), "strength": one.strength} for one in labels
    ]


def _hit_fields(search: Search, report: Report, level: int) -> list[dict[str, Any]]:
    return [
        {"name": report.photos[hit.photo].name, "score": round(hit.score, 4), "strength": hit.strength}
        for hit in search.hits[level]
    ]
