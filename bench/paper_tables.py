"""Tables of `results/papers.json`: the papers' systems on our split."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sememe.evaluate.needed import bytes_needed
from tabular import load, table

_Row = Mapping[str, Any]

_TITLES = {
    "sememe": "**sememe**, fixed",
    "rq": "FAISS RQ, fixed",
    "pqvae-fixed": "PQ-VAE shared, fixed",
    "pqvae": "PQ-VAE shared, coded",
    "uniform": "quantized CLIP",
    "bottleneck": "entropy bottleneck",
}
_RATES = ("4", "8", "16", "32", "64")
LOSS = 0.01
"""How much zero-shot accuracy may be lost for a rate to count as enough."""

_KEYS = ("centred_cosine", "recall_at_10", "zero_shot_caltech")


def rates() -> str:
    """What is kept at each rate."""
    found = load("papers")["rates"]
    rows = []
    for name, title in _TITLES.items():
        measured = {**found, **_elsewhere()}[name]
        rows.append([title, *(_cell(measured.get(n)) for n in _RATES)])
    return table(["", *(f"{n} bytes" for n in _RATES)], rows)


def needed() -> str:
    """Bits from which on less than a point of zero-shot accuracy is lost."""
    found = load("papers")["rates"]
    mark = found["uncompressed"]["zero_shot_caltech"] - LOSS
    rows = []
    for name, title in _TITLES.items():
        measured = {**found, **_elsewhere()}[name]
        points = [(row.get("bytes_mean", float(n)), row["zero_shot_caltech"]) for n, row in measured.items()]
        if not points:
            continue
        need = bytes_needed(points, mark)
        bits = "not within the rates measured" if need["bytes"] is None else f"{8 * need['bytes']:.0f}"
        from_there = "" if need["measured"] is None else f"{8 * need['measured']:.0f}"
        rows.append([title, bits, from_there])
    return table(["", "bits, interpolated", "bits of the measured rate from which on it holds"], rows)


def grid() -> str:
    """Sub-vectors against codewords on lines of equal rate, shared against own codebooks."""
    rows = []
    for bits, kinds in load("papers")["grid"].items():
        for shape, shared in kinds["shared"].items():
            own = kinds["own"].get(shape)
            rows.append([bits, shape.replace("x", " × "), *_coded(shared), *_coded(own)])
    figures = "centred cosine / recall@10 / zero-shot"
    header = ["bits, fixed", "sub-vectors × codewords", "shared: bits, coded", f"shared: {figures}"]
    return table([*header, "own: bits, coded", f"own: {figures}"], rows)


def unseen() -> str:
    """Trained on one data set, tested on others."""
    found = load("papers")["generalisation"]
    names = {"4": "4 × 256", "8": "8 × 256", "16": "16 × 256", "32": "32 × 256", "64": "64 × 256"}
    names["200x4"] = "200 × 4, the paper's 400 bits"
    rows = []
    for key, title in names.items():
        cells = [_cell(found[who].get(key)) for who in ("pqvae", "pqvae, trained on all")]
        ours = _cell(found["sememe"].get({"200x4": "50"}.get(key, key)))
        rows.append([{"200x4": "50"}.get(key, key), title, *cells, ours])
    header = ["bytes, fixed", "PQ-VAE", "trained on ImageNet alone", "trained on all sets"]
    return table([*header, "sememe, fitted on ImageNet alone"], rows)


def robust_clip() -> str:
    """Rounding and noise of CLIP's vectors."""
    return _robust("clip", "step", lambda step: f"{step:g}")


def robust_nano() -> str:
    """Rounding and noise of nano's vectors."""
    return _robust("nano", "step", lambda step: f"{step:g}")


def robust_pixels() -> str:
    """Rounding and noise of pixels."""
    return _robust("pixels", "step, of 255", lambda step: f"{step:g}")


def order() -> str:
    """Bits that the order of a set would have cost."""
    rows = []
    for nbytes, sizes in load("papers")["collections"]["order"].items():
        for n, row in sizes.items():
            saved, whole = row["saved_bits"], row["log2_factorial"]
            plain = int(nbytes) * int(n)
            rows.append(
                [
                    nbytes,
                    f"{int(n):,}",
                    f"{plain:,}",
                    f"{row['bytes']:,}",
                    f"{saved:,}",
                    f"{whole:,.0f}",
                    f"{saved / whole:.3f}",
                    f"{row['random_bytes_saved_bits'] / whole:.3f}",
                ]
            )
    header = ["bytes a code", "codes", "bytes in a row", "bytes as a set", "bits saved", "log₂ n!", "share"]
    return table([*header, "share, random bytes"], rows)


def dictionary() -> str:
    """Dictionaries beside codes, at what they cost a picture."""
    rows = []
    for size, found in load("papers")["collections"]["dictionary"].items():
        lines = [(name, row["bytes"], row["centred_cosine"]) for name, row in found["dictionary"].items()]
        for nbytes, row in found["sememe"].items():
            lines.append((f"sememe, {nbytes} bytes", row["bytes"], row["centred_cosine"]))
            lines.append((f"sememe, {nbytes} bytes, as a set", row["as_a_set_bytes"], row["centred_cosine"]))
        lines.sort(key=lambda line: line[1])
        dearest = max(row["bytes"] for row in found["dictionary"].values())
        for name, cost, kept in lines:
            if cost <= dearest + 1:
                title = name.replace(", 1 terms", ", 1 term")
                rows.append([f"{int(size):,}", title, f"{cost:.2f}", _figure(kept)])
    return table(["pictures", "", "bytes a picture, all counted", "centred cosine"], rows)


def arithmetic() -> str:
    """Edits and sums on codes."""
    found = load("papers")["collections"]["arithmetic"]
    lines: list[tuple[str, Callable[[_Row], str]]] = [
        ("unedited: wanted / own class among the best ten", lambda row: _of_10(row["unedited"])),
        ("edited, weight 1", lambda row: _of_10(row["edited_1"])),
        ("edited, weight 2", lambda row: _of_10(row["edited_2"])),
        ("edited, weight 4", lambda row: _of_10(row["edited_4"])),
        ("text alone", lambda row: _of_10(row["text_alone"])),
        ("sum of two codes: its best names are both", lambda row: _figure(row["sum_of_codes"]["names_both"])),
        (
            "less one: the other's name",
            lambda row: _figure(row["sum_of_codes"]["difference_names_the_other"]),
        ),
        ("code of a sum: its best names are both", lambda row: _figure(row["code_of_sum"]["names_both"])),
        ("less one: the other's name", lambda row: _figure(row["code_of_sum"]["difference_names_the_other"])),
    ]
    lengths = [key for key in ("float", "32", "16", "8", "4") if key in found]
    rows = [[name, *(get(found[key]) for key in lengths)] for name, get in lines]
    return table(["", *("original vectors" if key == "float" else f"{key} bytes" for key in lengths)], rows)


TABLES: dict[str, Callable[[], str]] = {
    "papers_rates": rates,
    "papers_needed": needed,
    "papers_grid": grid,
    "papers_unseen": unseen,
    "papers_robust_clip": robust_clip,
    "papers_robust_nano": robust_nano,
    "papers_robust_pixels": robust_pixels,
    "papers_order": order,
    "papers_dictionary": dictionary,
    "papers_arithmetic": arithmetic,
}


def _robust(signal: str, step_title: str, step_text: Callable[[float], str]) -> str:
    rows = [["none", "", "", *_robust_cells(load("papers")["robustness"][signal]["clean"])]]
    for row in load("papers")["robustness"][signal]["steps"]:
        cost = f"{row['bytes']:,.0f}" if "bytes" in row else ""
        start = [step_text(row["step"]), f"{row['decibels']:.1f}", cost]
        rows.append([*start, *_robust_cells(row["rounded"], row["noisy"])])
    kinds = ["cosine", "zero-shot", "same decision", "logit error"]
    header = [step_title, "signal to error, dB", "bytes", *(f"{kind}: rounded / noise" for kind in kinds)]
    return table(header, rows)


def _robust_cells(*found: _Row) -> list[str]:
    three = ("cosine", "zero_shot", "agreement")
    cells = [" / ".join(_figure(row[key]) for row in found) for key in three]
    return [*cells, " / ".join(f"{row['logit_error']:.2f}" for row in found)]


def _elsewhere() -> dict[str, Any]:
    """Our code and FAISS RQ, from their own results."""
    return {"sememe": load("quality")["bytes"], "rq": load("baselines")["main"]["rq"]}


def _of_10(row: _Row) -> str:
    return f"{_figure(row['wanted_of_10'])} / {_figure(row['own_of_10'])}"


def _coded(row: _Row | None) -> Iterable[str]:
    return ["", ""] if row is None else [f"{8 * row['bytes_mean']:.0f}", _cell(row)]


def _cell(row: _Row | None) -> str:
    return "" if row is None else " / ".join(_figure(row[key]) for key in _KEYS)


def _figure(value: float) -> str:
    return f"{value:.3f}".removeprefix("0") if value < 1 else "1"
