"""The tables of nano's model card, from `results/nano.json` and `results/nano_speed.json`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tabular import load, table

#: What the sources of the model card are called there.
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
    """Recall of the right concept among ten, for each part."""
    found = load("nano")
    rows = [
        [", ".join(found["left_out"][part]), *(f"{figures[who]}" for who in figures)]
        for part, figures in found["text_to_image_recall_at_10_percent"].items()
    ]
    return table(["pictures of", "nano", "16 bytes", "8 bytes", "teacher mix"], rows)


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
}
