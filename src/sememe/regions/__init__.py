"""Regions of a picture: which are worth bytes, what their codes say, and where in it something is.

::

    picture ─windows─► boxes ─crop, embed─► x (m, d) ─choose─► regions (box + code) ─put─► record
    record  ─decode─► x̂ (1 + n, d) ─find─► boxes with strengths ─draw─► picture
"""

from __future__ import annotations

from sememe.regions.crops import crop
from sememe.regions.drawing import blank, draw
from sememe.regions.finding import Finding, Match, find
from sememe.regions.proposals import as_boxes, read_boxes
from sememe.regions.record import LEAST_BYTES, choose, decode_regions, put_regions, regions_of
from sememe.regions.windows import SCALES, windows

__all__ = [
    "LEAST_BYTES",
    "SCALES",
    "Finding",
    "Match",
    "as_boxes",
    "blank",
    "choose",
    "crop",
    "decode_regions",
    "draw",
    "find",
    "put_regions",
    "read_boxes",
    "regions_of",
    "windows",
]
