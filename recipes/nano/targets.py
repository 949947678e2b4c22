"""What the student learns from: per view, class probabilities, features, and the teacher-mix vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from . import data
from .space import imagenet_names, load_or_fit, unit
from .teachers import TEACHER

RIDGE = 2000.0


def probabilities(logits: np.ndarray) -> np.ndarray:
    """Return class probabilities without the background class: (n, 1001) logits to (n, 1000)."""
    shown = logits[:, 1:].astype(np.float32)
    p = np.exp(shown - shown.max(1, keepdims=True))
    return p / p.sum(1, keepdims=True)


def top10(p: np.ndarray) -> np.ndarray:
    """Keep the ten largest probabilities of each row."""
    least = np.partition(p, -10, axis=1)[:, -10:-9]
    return np.where(p >= least, p, 0)


def classifier(teachers: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the teacher's own last layer: weights (1001, 1280) and biases (1001,)."""
    from ai_edge_litert.interpreter import Interpreter

    run = Interpreter(model_path=str(teachers / TEACHER))
    run.allocate_tensors()
    found: dict[str, np.ndarray] = {}
    for tensor in run.get_tensor_details():
        shape = tuple(tensor["shape"])
        key = {(1001, 1, 1, 1280): "weights", (1001,): "bias"}.get(shape)
        if key:
            q = tensor["quantization_parameters"]
            scale = q["scales"].reshape(-1, *([1] * (len(shape) - 1)))
            found[key] = (run.get_tensor(tensor["index"]).astype(np.float32) * scale).reshape(1001, -1)
    return found["weights"], found["bias"].ravel()


def ridge(x: np.ndarray, y: np.ndarray, strength: float = RIDGE) -> np.ndarray:
    """Fit a ridge map."""
    return np.linalg.solve(x.T @ x + strength * np.eye(x.shape[1], dtype=x.dtype), x.T @ y)


class Mix:
    """The teacher mix: half class names weighted by probability, half a ridge map from features to names.

    Parameters
    ----------
    without : list of str
        Parts and sources whose pictures it may not learn from.
    """

    def __init__(self, without: list[str], cache: Path, shared: Path) -> None:
        pictures, space = data.read_pictures(shared / "images"), load_or_fit(cache, shared)
        seen = ~np.isin(pictures.source, data.left_out(without))
        self.concepts = sorted(set(pictures.concept[seen].tolist()) - {""})
        self.names = space.texts(self.concepts)
        self.classes = space.texts(imagenet_names(shared / "teachers"))
        index = {c: i for i, c in enumerate(self.concepts)}
        self.concept = np.array(
            [index.get(c, -1) if s else -1 for c, s in zip(pictures.concept, seen, strict=True)]
        )
        features = np.load(cache / "view0.pool.npy").astype(np.float32)
        self.mean, self.spread = features[seen].mean(0), features[seen].std(0) + 0.1
        rows = np.flatnonzero(self.concept >= 0)
        self.map = ridge(self._scaled(features[rows]), self.names[self.concept[rows]])

    def _scaled(self, features: np.ndarray) -> np.ndarray:
        return (features - self.mean) / self.spread

    def __call__(self, logits: np.ndarray, features: np.ndarray) -> np.ndarray:
        """Return unit rows (n, 256) for teacher logits (n, 1001) and features (n, 1280)."""
        by_class = unit(top10(probabilities(logits)) @ self.classes)
        by_map = unit(self._scaled(features.astype(np.float32)) @ self.map)
        return unit(by_class + by_map)

    def of_view(self, cache: Path, view: int) -> np.ndarray:
        """Return the places (n, 256) float16 of one stored view."""
        logits, pool = (np.load(cache / f"view{view}.{k}.npy", mmap_mode="r") for k in ("logits", "pool"))
        cuts = [slice(i, i + 2048) for i in range(0, len(pool), 2048)]
        return np.concatenate([self(logits[c], pool[c]).astype(np.float16) for c in cuts])
