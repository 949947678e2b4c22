"""The tables of docs/codecs.md, from `results/codecs.json`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from picture_reach import TARGET
from sememe.evaluate.imagecodecs import FAMILIES
from tabular import load, table

EQUAL = (16, 32, 64, 128, 320, 1000)
"""320 bytes are twenty times 16: five per cent."""
NAMES = {
    "zero_shot": "zero-shot",
    "zero_shot_less_a_point": "zero-shot less a point",
    "agreement": "agreement",
    "cosine": "cosine",
    "recall_at_10": "recall@10",
}


def reach() -> str:
    """Bytes at which each codec reaches what 16 bytes of ours give, and our share of them."""
    found = load("codecs")["reached"]
    header = ["bytes (our share)", *NAMES.values(), "zero-shot, nine tenths of draws"]
    rows = []
    for kind, what in (("message", "bare"), ("file", "whole file")):
        for family in found:
            if family == "pixels" and kind == "file":
                continue
            cells = (_reached(found[family][kind][figure]) for figure in NAMES)
            rows.append(
                [
                    f"{FAMILIES[family]}, {what}",
                    *cells,
                    _draws(found[family][kind]["zero_shot"]["bytes_5_95"]),
                ]
            )
    return table(header, rows)


def target() -> str:
    """Ours at every length, and the uncompressed vectors."""
    found = load("codecs")
    rows = [
        [f"{row['nbytes']}", f"{row['bytes']['file']['mean']:g}", *_figures(row)] for row in found["ours"]
    ]
    rows.append(["uncompressed", "", *_figures(found["uncompressed"])])
    return table(["bytes", "as a `.sem` file", *_HEADER], rows)


def settings() -> str:
    """Every setting that no smaller one of its family equals in zero-shot accuracy."""
    rows = []
    for family, title in FAMILIES.items():
        best = -1.0
        mine = [row for row in load("codecs")["codecs"] if row["family"] == family]
        for row in sorted(mine, key=lambda row: float(row["bytes"]["message"]["mean"])):
            if row["zero_shot"] > best:
                best = row["zero_shot"]
                rows.append([_dials(row, title), *_sizes(row), _bpp(row), *_figures(row)])
    sizes = ["bytes: mean (5 to 95 %)", "whole file", "bits per pixel: stored / 224 x 224 / original"]
    return table(["codec", *sizes, *_HEADER], rows)


def equal() -> str:
    """The best zero-shot accuracy and cosine of each codec in so many bytes on average."""
    found = load("codecs")
    header = ["at most", "sememe", *(FAMILIES[family] for family in found["reached"])]
    rows = []
    for nbytes in EQUAL:
        ours = [row for row in found["ours"] if row["nbytes"] <= nbytes]
        families = (
            [
                row
                for row in found["codecs"]
                if row["family"] == family and row["bytes"]["message"]["mean"] <= nbytes
            ]
            for family in found["reached"]
        )
        rows.append([f"{nbytes} bytes", _best(ours), *(_best(rows_) for rows_ in families)])
    return table(header, rows)


def photographs() -> str:
    """Whole photographs at the lowest quality."""
    found = load("codecs")["photographs"]["lowest_quality"]
    rows = [
        [name, f"{row['mean']:,.0f}", f"{row['p5']:,.0f} to {row['p95']:,.0f}", f"{TARGET / row['mean']:.2%}"]
        for name, row in found.items()
    ]
    return table(["format, lowest quality", "bytes, mean", "5 to 95 %", f"{TARGET} bytes are"], rows)


_HEADER = ["zero-shot (95 %)", "agreement", "cosine", "recall@10"]


def _figures(row: dict[str, Any]) -> list[str]:
    low, high = row["zero_shot_interval"]
    rest = (_short(row[key]) for key in ("agreement", "cosine", "recall_at_10"))
    return [f"{_short(row['zero_shot'])} ({_short(low)} to {_short(high)})", *rest]


def _dials(row: dict[str, Any], title: str) -> str:
    size = f"{row['side']} px" if row["side"] else "128 px"
    name = row["format"].partition("-")[2]
    return " ".join(filter(None, (title, name, size, "" if title == "raw pixels" else f"q {row['quality']}")))


def _sizes(row: dict[str, Any]) -> list[str]:
    message, file = row["bytes"]["message"], row["bytes"]["file"]
    return [f"{message['mean']:.0f} ({message['p5']:.0f} to {message['p95']:.0f})", f"{file['mean']:.0f}"]


def _bpp(row: dict[str, Any]) -> str:
    return " / ".join(f"{row['bpp']['message'][of]:.4f}" for of in ("stored", "clip", "original"))


def _best(rows: Sequence[dict[str, Any]]) -> str:
    if not rows:
        return "none"
    return f"{_short(max(row['zero_shot'] for row in rows))} / {_short(max(row['cosine'] for row in rows))}"


def _reached(found: dict[str, Any]) -> str:
    if found["how"] == "never":
        return f"never (best {_short(found['best'])})"
    most = "at most " if found["how"] == "at most" else ""
    return f"{most}{found['bytes']:,.0f} ({found['our_share']:.1%})"


def _draws(ends: Sequence[float | None]) -> str:
    low, high = ("never" if end is None else f"{end:,.0f}" for end in ends)
    return low if low == high else f"{low} to {high}"


def _short(value: float) -> str:
    return f"{value:.3f}".removeprefix("0") if 0 <= value < 1 else f"{value:.3g}"


TABLES: dict[str, Callable[[], str]] = {
    "codecs_reach": reach,
    "codecs_ours": target,
    "codecs_equal": equal,
    "codecs_settings": settings,
    "codecs_photographs": photographs,
}
