"""Captions with real CLIP ViT-B/32 vectors and the words of data/text, and against Flickr8k's captions.

No text encoder is here, so a Flickr8k caption is stood in for by the sum of the vectors of the names in it.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import caption_fit
import caption_truth
import split
from caption_fit import Labelled
from caption_nano import imagenet_names
from output import note, rounded
from sememe import profile
from sememe.api.space import typical_vectors
from sememe.caption import NO_IDEA, Caption, Certainty, Composer, Tree, Vocabulary
from sememe.caption.certainty import NANO
from sememe.evaluate.captions import Retrieval, bleu, cider_d, ranks, words
from sememe.metrics import unit_rows
from sememe.metrics.calibration import Background, Query, Term
from sememe.profile import Profile

BYTES = (0, 64, 32, 16, 8, 4)
FLICKR = "flickr8k, first half"
"""Counts as much as the three sets of single things together: it is what people photograph."""

ADDITIONS = ("addition_offset", "addition_slope")
"""Constants that only composites with nano could measure; CLIP takes them over."""

MOST = {"caltech101": 600, "oxford_pets": 600, "cifar10_500": 500}
CATS = {
    "abyssinian",
    "bengal",
    "birman",
    "bombay",
    "british shorthair",
    "egyptian mau",
    "maine coon",
    "persian",
    "ragdoll",
    "russian blue",
    "siamese",
    "sphynx",
}
SAME = {
    "men": "man",
    "women": "woman",
    "children": "child",
    "people": "person",
    "kid": "child",
    "kids": "child",
}
"""Words of captions, and the words of the vocabulary that mean them."""


def measure(data: Path) -> dict[str, Any]:
    """Fit the certainty, each set's on the others; then caption Flickr8k's pictures."""
    shipped, named = profile.load("clip-vit-b32"), vectors_by_name(data)
    vocabulary = Vocabulary.of(named)
    composer = Composer.of(vocabulary, typical_vectors(shipped), Certainty(1.0, 0.0, 1.0, 0.0, 0.0))
    x, captions = flickr(data)
    decoded = _decoded(shipped, x)
    half = len(x) // 2
    first = {n: some[:half] for n, some in decoded.items()}
    sets = [_labelled(name, composer, shipped, data) for name in MOST]
    sets.append(_mentioned(composer, first, captions[:half]))
    certainty, others, calibration = caption_fit.left_out(sets)
    note(f"certainty: {certainty}")
    certainty = certainty._replace(**{key: getattr(NANO, key) for key in ADDITIONS})
    ready = replace(composer, certainty=certainty)
    second = {n: some[half:] for n, some in decoded.items()}
    return {
        "constants": certainty._asdict(),
        "left_out_constants": {name: one._asdict() for name, one in others.items()},
        "words_in_the_tree": int(vocabulary.tree.known.sum()),
        "reliability": calibration,
        "bytes": {
            str(n): caption_fit.figures([caption_fit.answers(one, n, others[one.name]) for one in sets])
            for n in BYTES
        },
        "sets": {
            one.name: caption_fit.figures([caption_fit.answers(one, 16, others[one.name])]) for one in sets
        },
        "flickr8k": against_people(ready, second, captions[half:]),
        "retrieval": retrieval(composer.background, named, decoded, captions),
    }


def against_people(composer: Composer, decoded: dict[int, Any], captions: list[str]) -> dict[str, Any]:
    """Compare captions from each length with what a person wrote, and with those from original vectors."""
    tree, rows = composer.vocabulary.tree, {}
    mentioned = [mentions(text, tree.rows.keys()) for text in captions]
    references = [[text] for text in captions]
    originals: list[str] = []
    for n, x in decoded.items():
        told = [found[0] for found in composer.caption(x)]
        texts = [one.text for one in told]
        originals = originals or texts
        said = [one for one in told if one.text != NO_IDEA]
        shuffled = references[1:] + references[:1]
        judged = [
            (one.confidence, _named(tree, _concept(one), names))
            for one, names in zip(told, mentioned, strict=True)
            if one.claims and names
        ]
        stated, right = np.array(judged, np.float64).T
        rows[str(n)] = {
            "bleu_4": round(bleu(texts, references), 4),
            "cider_d": round(float(cider_d(texts, references).mean()), 4),
            "bleu_4_shuffled": round(bleu(texts, shuffled), 4),
            "cider_d_shuffled": round(float(cider_d(texts, shuffled).mean()), 4),
            "bleu_1": round(bleu(texts, references, order=1), 4),
            "no_idea": round(1 - len(said) / len(told), 3),
            "concept_in_the_persons_caption": round(float(np.mean(right)), 3),
            "stated": round(float(stated.mean()), 3),
            "judged": len(judged),
            "same_as_original": round(
                float(np.mean([a == b for a, b in zip(texts, originals, strict=True)])), 3
            ),
        }
    return rows


def retrieval(
    background: Background, named: dict[str, Any], decoded: dict[int, Any], captions: list[str]
) -> dict[str, Any]:
    """Rank pictures by the names in a caption, at each length."""
    queries: list[Query] = []
    right: list[int] = []
    counts: list[int] = []
    for row, text in enumerate(captions):
        found = mentions(text, named.keys())
        if found:
            queries.append(background.query([Term(named[name], "text") for name in found]))
            right.append(row)
            counts.append(len(found))
    rows = {
        str(n): rounded(Retrieval.of(ranks(background.cosines(queries, x), np.array(right)))._asdict())
        for n, x in decoded.items()
    }
    return {"queries": len(queries), "names_in_a_query": round(float(np.mean(counts)), 2), "bytes": rows}


def mentions(text: str, names: Any) -> list[str]:
    """Find names in a sentence, the longest first, singular or plural, each once."""
    tokens, found, at = words(text), [], 0
    while at < len(tokens):
        for length in (3, 2, 1):
            run = " ".join(tokens[at : at + length])
            name = next((form for form in _forms(run) if form in names), None)
            if name is not None:
                found.append(name)
                at += length - 1
                break
        at += 1
    return list(dict.fromkeys(found))


def vectors_by_name(data: Path) -> dict[str, NDArray[np.float32]]:
    """Give the text vector of each name, from the first vocabulary that has it."""
    found: dict[str, NDArray[np.float32]] = {}
    for source in split.TEXT_SETS:
        file = np.load(data / "text" / f"{source}.npz")
        for name, vector in zip(file["names"].tolist(), unit_rows(file["x"]), strict=True):
            plain = re.sub(r"\s*\(.*\)", "", name.replace("_", " ").lower()).strip()
            found.setdefault(plain, vector)
    return found


def flickr(data: Path) -> tuple[NDArray[np.float32], list[str]]:
    """Give the thousand pictures' vectors and captions."""
    file = np.load(data / "vectors" / "flickr8k_1000.npz")
    return unit_rows(file["test_x"]), [str(text) for text in file["captions"]]


def _labelled(name: str, composer: Composer, shipped: Profile, data: Path) -> Labelled:
    classes = json.loads((data / "vectors" / "class_names.json").read_text())[name]
    if name == "oxford_pets":
        classes = ["cat" if breed in CATS else "dog" for breed in classes]
    tree = composer.vocabulary.tree
    truths = caption_truth.truths(sorted(set(classes)), frozenset(tree.rows), imagenet_names(data))
    file = np.load(data / "vectors" / f"{name}.npz")
    labels = file["test_y"]
    mine = np.flatnonzero([classes[label] in truths for label in labels])
    rows = np.sort(np.random.default_rng(0).permutation(mine)[: MOST[name]])
    wanted = [[tree.rows[truths[classes[label]]]] for label in labels[rows]]
    return Labelled.of(name, composer, _decoded(shipped, unit_rows(file["test_x"][rows])), wanted)


def _mentioned(composer: Composer, x: dict[int, Any], captions: list[str]) -> Labelled:
    """Take what a person mentions for the labels; pictures of which no word is in the tree are left out."""
    rows = composer.vocabulary.tree.rows
    found = [[rows[name] for name in mentions(text, rows.keys())] for text in captions]
    kept = [at for at, labels in enumerate(found) if labels]
    heard = {n: some[kept] for n, some in x.items()}
    return Labelled.of(FLICKR, composer, heard, [found[at] for at in kept], weight=len(MOST))


def _decoded(shipped: Profile, x: NDArray[np.float32]) -> dict[int, Any]:
    codes = shipped.encode(x, max(BYTES))
    return {n: shipped.decode(codes[:, :n]) if n else x for n in BYTES}


def _concept(one: Caption) -> str:
    """Give the most special concept that a caption claims."""
    return [claim.word for claim in one.claims if claim.kind == "concept"][-1]


def _named(tree: Tree, word: str, names: list[str]) -> bool:
    """Whether a word is one that a person used, or above one."""
    return any(tree.above[tree.rows[name], tree.rows[word]] for name in names)


def _forms(word: str) -> list[str]:
    forms = [SAME.get(word, word)]
    if word.endswith("es"):
        forms.append(word[:-2])
    if word.endswith("s"):
        forms.append(word[:-1])
    return forms
