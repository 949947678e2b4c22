"""Tables of `results/captions.json`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tabular import load, table


def nano() -> str:
    """What captions with nano say by length, on sources that the network never saw."""
    return _by_length(
        {
            "photographs": {n: row["photographs"] for n, row in load("captions")["nano"]["bytes"].items()},
            "drawings, cartoons, paintings": {
                n: row["drawn"] for n, row in load("captions")["nano"]["bytes"].items()
            },
        }
    )


def demo() -> str:
    """What the shipped network says of the demo's photographs."""
    rows = [
        [name, f"{row['caption']['caption']} ({row['caption']['confidence']:.2f})", _others(row["next"])]
        for name, row in load("captions")["demo"].items()
    ]
    return table(["photograph", "caption (confidence)", "next"], rows)


def clip() -> str:
    """What captions with CLIP ViT-B/32 say by length, on labelled sets."""
    return _by_length({"": load("captions")["clip"]["bytes"]})


def sources() -> str:
    """The same for each source, from 16 bytes."""
    found = load("captions")
    rows = [
        [f"{space}: {name}", *_figures(row)]
        for space, per_source in (("nano", found["nano"]["sources"]), ("CLIP", found["clip"]["sets"]))
        for name, row in per_source.items()
    ]
    return table(["source", *FIGURES.values()], rows)


def reliability() -> str:
    """What is stated against what is right."""
    found = load("captions")
    columns = {
        "nano": found["nano"]["reliability"]["all"],
        "nano, settings": found["nano"]["settings"]["reliability"],
        "CLIP": found["clip"]["reliability"]["all"],
    }
    by_start = {name: {row["from"]: row for row in rows} for name, rows in columns.items()}
    starts = sorted({start for rows in by_start.values() for start in rows})
    return table(
        ["confidence from", *(f"{name}: stated, right (claims)" for name in columns)],
        [[_share(start), *(_reliable(rows.get(start)) for rows in by_start.values())] for start in starts],
    )


def settings() -> str:
    """How often a setting is right, on composites with a known one."""
    found = load("captions")["nano"]["settings"]
    keys = {
        "best_right": "likeliest setting right",
        "said": "said",
        "right_of_said": "right where said",
        "said_on_plain": "said on a plain ground (always wrong)",
    }
    rows = [[_length(n), *(_percent(found[n][key]) for key in keys)] for n in ("0", "16")]
    return table(["bytes", *keys.values()], rows)


def flickr() -> str:
    """Captions against what a person wrote."""
    keys = ("bleu_1", "bleu_4", "cider_d", "cider_d_shuffled")
    rows = [
        [
            _length(n),
            *(f"{row[key]:.4f}" for key in keys),
            _percent(row["concept_in_the_persons_caption"]),
            _percent(row["stated"]),
            _percent(row["no_idea"]),
            _percent(row["same_as_original"]),
        ]
        for n, row in load("captions")["clip"]["flickr8k"].items()
    ]
    header = ["bytes", "BLEU-1", "BLEU-4", "CIDEr-D", "CIDEr-D of another picture's"]
    return table(
        [*header, "concept in the person's words", "stated", "no idea", "as from the original"], rows
    )


def retrieval() -> str:
    """Rank of the right picture by the names in its caption."""
    keys = ("median", "mean_reciprocal", "recall_at_1", "recall_at_10")
    rows = [
        [_length(n), f"{row['median']:g}", *(f"{row[key]:.3f}" for key in keys[1:])]
        for n, row in load("captions")["clip"]["retrieval"]["bytes"].items()
    ]
    return table(["bytes", "median rank", "mean reciprocal rank", "first", "among ten"], rows)


FIGURES = {
    "named": "names the concept",
    "general": "a general word for it",
    "wrong": "wrong",
    "said": "says anything",
    "right_of_said": "right where it says",
    "stated_of_said": "stated",
}


def _by_length(groups: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [
        [" ".join(filter(None, (name, _length(n)))), *_figures(row)]
        for name, by_length in groups.items()
        for n, row in by_length.items()
    ]
    return table(["bytes", *FIGURES.values()], rows)


def _figures(row: Mapping[str, float]) -> list[str]:
    return [_percent(row[key]) for key in FIGURES]


def _others(rows: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(f"{row['caption']} ({row['confidence']:.2f})" for row in rows)


def _length(nbytes: str) -> str:
    return "original" if nbytes == "0" else nbytes


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f}"


def _share(value: float) -> str:
    return f"{value:.1f}"


def _reliable(row: Mapping[str, float] | None) -> str:
    return "" if row is None else f"{row['stated']:.2f}, {row['right']:.2f} ({row['claims']:,})"


TABLES: dict[str, Callable[[], str]] = {
    "caption_demo": demo,
    "caption_nano": nano,
    "caption_clip": clip,
    "caption_sources": sources,
    "caption_reliability": reliability,
    "caption_settings": settings,
    "caption_flickr": flickr,
    "caption_retrieval": retrieval,
}
