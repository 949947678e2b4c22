"""The quantizer of normal coefficients: stored, because logarithms may differ between machines."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["quantizer"]

_STORED = Path(__file__).parents[2] / "data" / "universal.json"  # from recipes/universal_quantizer.py

_TYPES = {
    "children": np.int16,
    "frequencies": np.int32,
    "thresholds": np.int32,
    "means": np.int32,
    "ranks": np.int16,
    "gains": np.int32,
}


@cache
def quantizer() -> dict[str, NDArray[np.generic]]:
    """The tables `children`, `frequencies`, `thresholds`, `means`, `ranks` and `gains` of a code."""
    stored = json.loads(_STORED.read_text(encoding="utf-8"))
    return {name: np.array(stored[name], kind) for name, kind in _TYPES.items()}
