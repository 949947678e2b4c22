"""The tables of nano's model card, from `results/nano.json` and `results/nano_speed.json`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tabular import load, table

#: What kinds of queries are called in the model card.
KINDS = {
    "synonyms": "another word (*automobile* for car)",
    "described": "a description (*an animal that barks*)",
    "plurals": "plurals",
    "adjectives": "with adjectives (*a rusty bike*)",
    "two_things": "two things, both wanted (*a dog in snow*)",
    "negated": "negated, the thing found all the same (*a photo without a cat*)",
}


def zero_shot() -> str:
    """Accuracy by source, from whole vectors and from bytes, beside the teacher's."""
    rows = []
    for source, found in load("nano")["zero_shot_percent"].items():
        cells = [_first_and_five(found, who) for who in ("nano", "nano_16_bytes", "nano_8_bytes")]
        rest = [_first_and_five(found, who) for who in ("nano_pictures_teacher_texts", "teacher_mix")]
        counts = [f"{found['pictures']:,}", f"{found['classes']:,}", f"{found['chance']}"]
        rows.append([source, *counts, f"**{cells[0]}**", *cells[1:], *rest])
    header = ["source", "pictures", "classes", "chance", "nano", "16 bytes", "8 bytes"]
    return table([*header, "with the teacher's texts", "teacher mix"], rows)


def search() -> str:
    """Recall of the right concept among ten, for each part: over names, and over sources."""
    found = load("nano")
    rows = [
        [", ".join(found["left_out"][part]), *(f"{f['names']} / {f['sources']}" for f in figures.values())]
        for part, figures in found["text_to_image_recall_at_10_percent"].items()
    ]
    return table(["pictures of", "nano", "16 bytes", "8 bytes", "teacher mix", "`search` in 16 bytes"], rows)


def none_of_these() -> str:
    """How often the answer is "none of these", with and without the right label."""
    rows = [
        [source, f"{figures['right_label_given']}", f"{figures['right_label_missing']}"]
        for part in load("nano")["none_of_these_percent"].values()
        for source, figures in part.items()
    ]
    return table(["source", "right label in the list", "right label missing"], rows)


def free_text() -> str:
    """How far free text reaches."""
    found = load("nano")["free_text"]
    rows = [
        [name, f"{found['nano'][kind]['queries']}", *(_shares(found[who][kind]) for who in found)]
        for kind, name in KINDS.items()
    ]
    return table(["query", "queries", "nano: first / among five", "MiniLM, its teacher"], rows)


def mistakes() -> str:
    """The commonest mistakes of each source."""
    rows = [
        [source, "; ".join(f"{m['right']} → {m['said']} ({m['pictures']})" for m in found)]
        for source, found in load("nano")["commonest_mistakes"].items()
    ]
    return table(["source", "right → said (pictures)"], rows)


def speed() -> str:
    """Milliseconds beside a network of ViT-B/32's dimensions."""
    found = load("nano_speed")["milliseconds"]
    names = {
        "nano_image": "nano, a picture of 640 x 480 pixels in memory",
        "nano_text": "nano, a text",
        "vit_b32_dims_int8": "network of ViT-B/32's dimensions, 8 bits, pixels ready",
        "vit_b32_dims_float32": "the same, 32 bits",
    }
    return table(["what", "milliseconds on one core"], [[text, f"{found[k]}"] for k, text in names.items()])


def facts() -> str:
    """Size, steadiness, what eight bits and drafts cost, calibration."""
    found, draft = load("nano"), load("nano_speed")["jpeg_draft"]
    steady, rounded = found["cosine_after_change"], found["eight_bit_against_float_cosine"]
    rows = [
        ["size of all files", f"{found['bytes']['total'] / 1e6:.1f} MB"],
        ["of these the image network", f"{found['bytes']['image.onnx'] / 1e6:.1f} MB"],
        ["cosine with the flipped picture", f"{steady['flipped']:.3f}"],
        ["with the picture cropped to 90 %", f"{steady['cropped']:.3f}"],
        ["with a JPEG of quality 30", f"{steady['jpeg_q30']:.3f}"],
        ["mean of the three", f"{steady['mean']:.3f}"],
        [
            "eight-bit against float network, mean and least",
            _mean_and_least(rounded["mean"], rounded["least"]),
        ],
        [
            f"drafted against full JPEG decoding, {draft['photographs']} photographs, mean and least",
            _mean_and_least(draft["cosine_mean"], draft["cosine_least"]),
        ],
        [
            "text encoder against its teacher on new phrases",
            f"{found['text_cosine_to_teacher_on_new_phrases']:.3f}",
        ],
        ["expected calibration error of probabilities", f"{found['expected_calibration_error']:.3f}"],
    ]
    return table(["what", "measured"], rows)


def training() -> str:
    """How long each network was trained."""
    names = {
        "a": "without the first part",
        "b": "without the second part",
        "c": "without the third part",
        "all": "shipped: on from the first, all sources",
    }
    rows = [
        [names[name], f"{found['pictures_seen']:,}", f"{found['seconds'] / 60:.0f}"]
        for name, found in load("nano")["training"].items()
    ]
    return table(["network", "pictures seen", "minutes on two cores"], rows)


def _mean_and_least(mean: float, least: float) -> str:
    return f"{mean:.4f}, {least:.4f}"


def _first_and_five(found: dict[str, Any], who: str) -> str:
    figures = found[who]
    return f"{figures['top1']}" + (f" / {figures['top5']}" if found["classes"] > 6 else "")


def _shares(figures: dict[str, float]) -> str:
    return f"{figures['first']} / {figures['five']}"


TABLES: dict[str, Callable[[], str]] = {
    "nano_zero_shot": zero_shot,
    "nano_search": search,
    "nano_none": none_of_these,
    "nano_text": free_text,
    "nano_mistakes": mistakes,
    "nano_speed": speed,
    "nano_facts": facts,
    "nano_training": training,
}
