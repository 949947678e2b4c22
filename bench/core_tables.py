"""The tables of README.md, docs/results.md and docs/strength.md: what codes keep, how fast they are made."""

from __future__ import annotations

from collections.abc import Callable

from tabular import load, table


def quality() -> str:
    """Figures of every length beside FAISS RQ, and the uncompressed vectors below."""
    ours, rq = load("quality"), load("baselines")["main"]["rq"]
    header = ["bytes", "cosine", "centred cosine", "recall@10", "zero-shot", "LVIS agreement", "class mean"]
    keys = (
        "cosine",
        "centred_cosine",
        "recall_at_10",
        "zero_shot_caltech",
        "lvis_agreement",
        "class_mean_accuracy",
    )
    rows = [
        [nbytes, *(_figure(row[key]) for key in keys), _beside(rq.get(nbytes))]
        for nbytes, row in ours["bytes"].items()
    ]
    rows.append(["all 2,048", *(_figure(ours["uncompressed"][key]) for key in keys), ""])
    return table([*header, "FAISS RQ: centred cosine / recall@10"], rows)


def unseen() -> str:
    """Averages over the four sets left out of training, three methods side by side."""
    average = load("unseen")["average"]
    keys = ("centred_cosine", "recall_at_10", "class_mean_accuracy")
    rows = []
    for nbytes in average["opq"]:
        cells = (" / ".join(_figure(average[method][nbytes][key]) for key in keys) for method in average)
        rows.append([nbytes, *cells])
    names = {"sememe": "sememe", "rq": "FAISS RQ", "opq": "FAISS OPQ"}
    figures = "centred cosine / recall@10 / class mean"
    return table(["bytes", *(f"{names[method]}: {figures}" for method in average)], rows)


def speed() -> str:
    """Rates and start-up times, wall clock."""
    found = load("speed")
    rows = [
        ["encode to 16 bytes", f"{found['encode_vectors_per_s']['wall']:,} vectors/s"],
        ["decode", f"{found['decode_vectors_per_s']['wall']:,} vectors/s"],
        ["`sememe info`", f"{found['start']['info_s']['wall']:.2f} s"],
        ["`sememe encode photo.jpg`", f"{found['start']['encode_photo_s']['wall']:.2f} s"],
    ]
    return table(["what", f"one core of {found['machine']['cpu']}"], rows)


def strength() -> str:
    """How honest strong, weak and none are, for original vectors and two lengths of code."""
    found = load("strength")["bytes"]
    lines = [
        ("right pictures that are strong", "search", "right_strong"),
        ("right pictures that are at least weak", "search", "right_weak_or_strong"),
        ("queries for what none of 12 pictures shows, with a strong hit", "unrelated_queries", "12_strong"),
        ("none of 1,000 pictures", "unrelated_queries", "1000_strong"),
        ("none of 3,800 pictures", "unrelated_queries", "3800_strong"),
        ("the same, if height alone made a hit strong", "unrelated_queries", "3800_strong_by_height"),
        ("search: mean average precision by score", "search", "average_precision"),
        ("search: mean average precision by raw cosine", "search", "average_precision_raw"),
        ("best labels that are strong", "classify", "share_strong"),
        ("best labels right where strong", "classify", "accuracy_where_strong"),
        ("best labels right where weak", "classify", "accuracy_where_weak"),
        ("best labels right where none", "classify", "accuracy_where_none"),
    ]
    rows = [[name, *(_figure(found[n][group][key]) for n in ("0", "16", "8"))] for name, group, key in lines]
    return table(["", "original vectors", "16 bytes", "8 bytes"], rows)


def _figure(value: float) -> str:
    return f"{value:.3f}".removeprefix("0") if value < 1 else "1"


def _beside(row: dict[str, float] | None) -> str:
    return "" if row is None else f"{_figure(row['centred_cosine'])} / {_figure(row['recall_at_10'])}"


TABLES: dict[str, Callable[[], str]] = {
    "quality": quality,
    "strength": strength,
    "unseen": unseen,
    "speed": speed,
}
