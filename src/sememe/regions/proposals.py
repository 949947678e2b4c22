"""Regions that somebody else found: boxes or masks in a JSON or NumPy file, as SAM and its kin write them."""

from __future__ import annotations

import json
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sememe.bitstream import WHOLE, Box
from sememe.errors import InputError

MOST = 1024
"""Boxes that a file may hold: each costs one embedding."""


def read_boxes(path: str | Path, width: int, height: int) -> list[Box]:
    """Read boxes, in pixels of the upright picture at its full size.

    Parameters
    ----------
    path : str or Path
        ``.npy``: numbers (n, 4), each row left, top, right, bottom; or booleans (n, height, width), a mask
        each. Else JSON: a list of such rows, or of objects with a ``bbox`` of left, top, width, height, as
        SAM's automatic mask generator and COCO write.
    width, height : int
        Of the picture in pixels. What lies outside is cut off.

    Returns
    -------
    list of Box
        Each once; of a mask the least box around it. A box that is the whole picture is left out.

    Raises
    ------
    InputError
        The file cannot be read, holds something else, or a box of no pixels.
    """
    try:
        rows = _from_npy(Path(path), width, height) if Path(path).suffix == ".npy" else _from_json(Path(path))
    except OSError as exc:
        raise InputError(f"{path}: cannot be read ({exc.strerror or exc})") from exc
    except (ValueError, TypeError, KeyError, EOFError, OverflowError, RecursionError, TokenError) as exc:
        raise InputError(
            f"{path}: holds no boxes; write rows of left, top, right, bottom in pixels, SAM's JSON, or masks"
        ) from exc
    return as_boxes(rows, width, height, name=str(path))


def as_boxes(rows: NDArray[np.float64], width: int, height: int, *, name: str) -> list[Box]:
    """Turn rows (n, 4) of left, top, right and bottom in pixels into boxes, as `read_boxes` does.

    Raises
    ------
    InputError
        There are no rows, too many, or one that covers nothing; `name` says whose they are.
    """
    if rows.ndim != 2 or rows.shape[1] != 4 or not np.isfinite(rows).all():
        raise InputError(f"{name}: rows of left, top, right, bottom are wanted, four numbers each")
    if not 1 <= len(rows) <= MOST:
        raise InputError(f"{name}: holds {len(rows)} boxes, and 1 to {MOST} can be taken")
    scale = np.array([width, height, width, height], np.float64)
    rows = np.clip(rows, 0, scale)
    empty = (rows[:, :2] >= rows[:, 2:]).any(axis=1)
    if empty.any():
        bad = int(np.flatnonzero(empty)[0])
        raise InputError(f"{name}: box {bad} covers nothing of a picture of {width} x {height}; take it out")
    boxes = dict.fromkeys(Box.of(*map(float, row)) for row in rows / scale)
    boxes.pop(WHOLE, None)
    return list(boxes)


def _from_json(path: Path) -> NDArray[np.float64]:
    found = json.loads(path.read_bytes())
    if not isinstance(found, list):
        raise TypeError("not a list")
    return np.array([_edges(item) for item in found], np.float64).reshape(-1, 4)


def _edges(item: Any) -> list[float]:
    """Left, top, right and bottom of one entry."""
    if isinstance(item, dict):
        left, top, width, height = map(float, item["bbox"])
        return [left, top, left + width, top + height]
    left, top, right, bottom = map(float, item)
    return [left, top, right, bottom]


def _from_npy(path: Path, width: int, height: int) -> NDArray[np.float64]:
    found = np.load(path, mmap_mode="r", allow_pickle=False)
    if found.dtype.kind in "iuf":
        return np.asarray(found, np.float64)
    if found.dtype != np.bool_ or found.shape[1:] != (height, width) or len(found) > MOST:
        raise ValueError("neither numbers nor masks of this picture")
    return np.array([_around(mask) for mask in found], np.float64).reshape(-1, 4)


def _around(mask: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Edges of the least box around a mask; those of an empty one have no area."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return (
        int(columns.min(initial=mask.shape[1])),
        int(rows.min(initial=mask.shape[0])),
        int(columns.max(initial=-1)) + 1,
        int(rows.max(initial=-1)) + 1,
    )
