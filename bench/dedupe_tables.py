"""The tables of `docs/dedupe.md` and `docs/edge.md`, from `results/dedupe.json` and `results/edge.json`."""

from __future__ import annotations

from collections.abc import Callable

from tabular import load, table

SHOWN = ("0.95", "0.97", "0.98", "0.985", "0.99", "0.995")
NAMES = {"jpeg_30": "JPEG q30", "half": "half size", "mirrored": "mirrored", "cropped_90": "cropped to 90 %"}


def dedupe() -> str:
    """Precision and recall of pairs at 16 bytes, by threshold and by kind of copy."""
    found = load("dedupe")
    rows = []
    for row in found["bytes"]["16"]:
        threshold = str(row["threshold"])
        if threshold in SHOWN:
            kinds = [_share(row["recall_with_original"][name]) for name in NAMES]
            full_size = _share(found["photographs_recall"]["16"][threshold])
            wrong = f"{row['wrong_per_million']:,.0f}"
            rows.append(
                [threshold, _share(row["precision"]), _share(row["recall"]), *kinds, wrong, full_size]
            )
    header = ["threshold", "precision", "recall", *NAMES.values(), "wrong pairs a million"]
    return table([*header, "full-size photographs: recall"], rows)


def dedupe_bytes() -> str:
    """The default threshold at each length."""
    rows = []
    for nbytes, judged in load("dedupe")["bytes"].items():
        row = next(one for one in judged if one["threshold"] == 0.98)
        name = "original vectors" if nbytes == "float" else nbytes
        figures = [_share(row[key]) for key in ("precision", "recall")]
        rows.append([name, *figures, f"{row['wrong_per_million']:,.0f}", _share(row["wrong_of_one_concept"])])
    return table(["bytes", "precision", "recall", "wrong pairs a million", "of them of one subject"], rows)


def dedupe_cells() -> str:
    """Cells beside all with all."""
    rows = []
    for row in load("dedupe")["cells"]:
        exact = [f"{row['exact_cpu_s']} s", f"{row['exact_pairs']:,}"] if "exact_cpu_s" in row else ["", ""]
        rows.append([f"{row['codes']:,}", f"{row['cells_cpu_s']} s", f"{row['cells_pairs']:,}", *exact])
    return table(["codes", "in cells", "pairs found", "`--exact`", "pairs found"], rows)


def edge() -> str:
    """Peak memory and imports of each command."""
    rows = [
        [
            f"`sememe {name}`",
            f"{row['peak_mb']} MB",
            f"{row['peak_mb_freed_at_once']} MB",
            ", ".join(row["imports"]) or "none",
        ]
        for name, row in load("edge")["commands"].items()
    ]
    return table(["command", "peak memory", "with `MALLOC_MMAP_THRESHOLD_=65536`", "imports"], rows)


def edge_packages() -> str:
    """Packages that encoding needs."""
    rows = [[f"`{name}`", f"{size} MB"] for name, size in load("edge")["installed_mb"].items()]
    return table(["package", "on disk"], rows)


def _share(value: float) -> str:
    return f"{value:.3f}".removeprefix("0") if value < 1 else "1"


TABLES: dict[str, Callable[[], str]] = {
    "dedupe": dedupe,
    "dedupe_bytes": dedupe_bytes,
    "dedupe_cells": dedupe_cells,
    "edge": edge,
    "edge_packages": edge_packages,
}
