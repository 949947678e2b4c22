"""How honest "none of these" is: the same pictures with their right label in the list, and without it."""

from __future__ import annotations

import numpy as np

from .heldout import HeldOut
from .measure import percent

FEW = 20


def measure(held: HeldOut) -> dict[str, dict[str, float]]:
    """Return, for each source of at most `FEW` classes, how often in percent the answer is "none of these".

    The labels are the source's own names: all of them, or all but the picture's own.
    """
    codec, codes, concepts, sources = held.codec, held.codes, held.concept, held.source
    report: dict[str, dict[str, float]] = {}
    for source in sorted(set(sources.tolist())):
        mine = np.flatnonzero(sources == source)
        names = sorted(set(concepts[mine].tolist()))
        if len(names) > FEW:
            continue
        present = [p.none for p in codec.classify(codes[mine], names)]
        absent: list[bool] = []
        for name in names:
            rows = mine[concepts[mine] == name]
            absent += [p.none for p in codec.classify(codes[rows], [n for n in names if n != name])]
        report[source] = {
            "right_label_given": percent(float(np.mean(present))),
            "right_label_missing": percent(float(np.mean(absent))),
        }
    return report
