"""The figures by which a way of coding vectors is judged, the same for ours and for the baselines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import output
import split
from sememe import metrics


class Judge:
    """Everything about a split that does not depend on the code: made once, asked for every rate.

    Parameters
    ----------
    parts : split.Split
        Its test rows are what is coded; its training mean is the centre.
    data : Path
        Where text vectors come from.
    """

    def __init__(self, parts: split.Split, data: Path = split.DATA) -> None:
        self.parts = parts
        self.lvis = split.load_text(data, ("lvis",))
        self.zero_shot = split.zero_shot_caltech(parts, data) if "caltech101" in parts.names else None

    def figures(self, decoded: split.Vectors) -> dict[str, float]:
        """Compare decoded test vectors with the originals.

        Parameters
        ----------
        decoded : (n, d) float32
            Unit rows, in the order of the test part.

        Returns
        -------
        dict
            Mean cosines, recall@10 of the split's queries, top-1 agreement over the LVIS names,
            nearest-class-mean accuracy over the classes of all sets in the test, and zero-shot accuracy
            where Caltech is among them.
        """
        test = self.parts.test
        result = {
            "cosine": metrics.cosine(test.x, decoded).mean(),
            "centred_cosine": metrics.centred_cosine(test.x, decoded, self.parts.mean).mean(),
            "recall_at_10": metrics.recall_at(self.parts.queries.x, test.x, decoded, k=10),
            "lvis_agreement": metrics.agreement(test.x @ self.lvis.T, decoded @ self.lvis.T),
            "class_mean_accuracy": self._class_mean_accuracy(decoded),
        }
        if self.zero_shot is not None:
            scores = decoded[self.zero_shot.rows] @ self.zero_shot.text.T
            result["zero_shot_caltech"] = metrics.top_k_accuracy(scores, self.zero_shot.y)
        return output.rounded(result)

    def _class_mean_accuracy(self, decoded: split.Vectors) -> float:
        return metrics.nearest_class_mean_accuracy(
            decoded,
            _joint_labels(self.parts.test),
            train_x=self.parts.means.x,
            train_labels=_joint_labels(self.parts.means),
        )


def per_set(
    parts: split.Split, decoded: split.Vectors, data: Path = split.DATA
) -> dict[str, dict[str, float]]:
    """Figures of each set of the test among its own rows and queries, and their plain mean over sets."""
    result = {}
    for name in parts.names:
        rows = parts.test.sets == name
        alone = split.Split(parts.fit, parts.test.of(name), parts.queries.of(name), parts.means.of(name))
        result[name] = Judge(alone, data).figures(decoded[rows])
    result["mean"] = output.rounded({key: _mean_of(result, key) for key in result[parts.names[0]]})
    return result


def _mean_of(result: dict[str, dict[str, float]], key: str) -> float:
    return float(np.mean([figures[key] for figures in result.values()]))


def _joint_labels(part: split.Part) -> NDArray[np.int64]:
    """Labels that are distinct across sets: 10,000 for each set before it in the alphabet of all sets."""
    return part.y + 10_000 * np.searchsorted(sorted(split.FIT_SETS), part.sets)
