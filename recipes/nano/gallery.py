"""A page to look at: what a variant says of pictures that it never saw, the surest mistakes first.

The page stays in the cache, because most of the pictures may not be passed on.
"""

from __future__ import annotations

import base64
from collections import Counter
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np

from . import data
from .heldout import Tested
from .measure import log_probability

PER_SOURCE = 18
STYLE = """
body { font: 15px/1.4 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: 1rem; }
figure { margin: 0; } img { width: 100%; aspect-ratio: 1; object-fit: cover; border-radius: 4px; }
.wrong b { color: #b3261e; } .right b { color: #1b6e3c; }
"""


@dataclass(frozen=True)
class Answers:
    """What was said of the n pictures of one source: label, its probability, the right label."""

    source: str
    rows: np.ndarray
    said: np.ndarray
    sure: np.ndarray
    right: np.ndarray


def answers(tested: Tested, scale: float) -> Answers:
    """Turn the cosines of a source's pictures with its names into answers."""
    names = np.array(tested.names)
    p = np.exp(log_probability(tested.scores, scale))
    return Answers(tested.source, tested.rows, names[p.argmax(1)], p.max(1), names[tested.labels])


def confusions(found: Answers, most: int = 5) -> list[dict[str, object]]:
    """Return the commonest mistakes of a source."""
    wrong = found.said != found.right
    pairs = Counter(zip(found.right[wrong].tolist(), found.said[wrong].tolist(), strict=True))
    return [{"right": r, "said": s, "pictures": n} for (r, s), n in pairs.most_common(most)]


def write(path: Path, images: Path, every: list[Answers]) -> None:
    """Write the page: of each source the surest mistakes, then some right answers."""
    jpegs = [jpg for path in data.shards(images) for jpg in data.read_jpegs(path)]
    parts = [f"<!doctype html><meta charset=utf-8><title>What nano says</title><style>{STYLE}</style>"]
    parts.append("<h1>What nano says of pictures it never saw</h1>")
    for found in every:
        wrong = found.said != found.right
        order = np.argsort(-found.sure)
        chosen = [*order[wrong[order]][:PER_SOURCE], *order[~wrong[order]][: PER_SOURCE // 3]]
        parts.append(f"<h2>{escape(found.source)}: {100 * (1 - wrong.mean()):.1f} % right</h2><main>")
        parts += [_figure(found, int(i), jpegs[found.rows[i]]) for i in chosen]
        parts.append("</main>")
    path.write_text("\n".join(parts), encoding="utf-8")


def _figure(found: Answers, i: int, jpg: bytes) -> str:
    right = found.said[i] == found.right[i]
    kind, but = ("right", "") if right else ("wrong", f"<br>is: {escape(found.right[i])}")
    picture = f'<img alt="" src="data:image/jpeg;base64,{base64.b64encode(jpg).decode()}">'
    said = f"<b>{escape(found.said[i])}</b> {100 * found.sure[i]:.0f} %{but}"
    return f'<figure class="{kind}">{picture}<figcaption>{said}</figcaption></figure>'
