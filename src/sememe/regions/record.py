"""Regions in a record: chosen and coded with a profile, and decoded again beside the whole picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sememe.bitstream import WHOLE, Box, Extension, Record, Region
from sememe.bitstream.regions import HEAD, REGION_TAGS, pack_regions, read_regions
from sememe.errors import UsageError
from sememe.profile import Profile
from sememe.regions.budget import Choices, spend
from sememe.regions.prediction import COEFFICIENT, difference, restore
from sememe.types import Codes, Embeddings

LENGTHS = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 32, 48)
"""Bytes that a region's code can get; what the longest leaves goes to other regions."""

LEAST_BYTES = 2 + HEAD + 1
"""Bytes of the smallest list of regions: one of one byte."""


def choose(
    profile: Profile, payload: bytes, boxes: Sequence[Box], x: Embeddings, budget: int, most: int
) -> list[Region]:
    """Choose and code the regions that a budget is best spent on.

    Parameters
    ----------
    profile : Profile
    payload : bytes
        Code of the whole picture.
    boxes : sequence of m Box
    x : (m, d) float32
        What they show, unit rows.
    budget : int
        Bytes for all regions with their boxes, lengths, and the heads of their extensions.
    most : int
        Regions at most.

    Returns
    -------
    list of Region
        The one that adds most first; fewer than `most`, or none, if more would add nothing.
    """
    if not len(boxes):
        return []
    choices, codes = offer(profile, payload, boxes, x)
    spent = spend(choices, budget, most)
    return [Region(boxes[row], codes[row, :n].tobytes()) for row, n in spent]


def offer(
    profile: Profile,
    payload: bytes,
    boxes: Sequence[Box],
    x: Embeddings,
    *,
    coefficient: float = COEFFICIENT,
) -> tuple[Choices, Codes]:
    """Code every window, and decode it at each length: what a budget can buy, and the codes."""
    whole = profile.decode(np.frombuffer(payload, np.uint8)[None])[0]
    codes = profile.encode(difference(x, whole, coefficient), LENGTHS[-1])
    decoded = np.stack([restore(profile.decode(codes[:, :n]), whole, coefficient) for n in LENGTHS])
    return Choices(boxes, x, whole, decoded, LENGTHS), codes


def put_regions(record: Record, regions: Sequence[Region], *fields: Extension) -> Record:
    """Add regions, and other fields, to a record in place of those it had.

    Raises
    ------
    UsageError
        The regions take more room than a file has for them.
    """
    values = pack_regions(regions)
    if len(values) > len(REGION_TAGS):
        raise UsageError(f"{len(regions)} regions take more bytes than a file has for them; give fewer")
    fields += tuple(Extension(tag, value) for tag, value in zip(REGION_TAGS, values, strict=False))
    gone = {*REGION_TAGS, *(field.tag for field in fields)}
    kept = [field for field in record.extensions if field.tag not in gone]
    return replace(record, extensions=tuple(sorted([*kept, *fields])))


def regions_of(record: Record) -> list[Region]:
    """Give the regions of a record in their order; none if it has none."""
    values = (record.get(tag) for tag in REGION_TAGS)
    return [region for value in values if value is not None for region in read_regions(value)]


def decode_regions(
    profile: Profile, record: Record, *, coefficient: float = COEFFICIENT
) -> tuple[Embeddings, list[tuple[Box, int]]]:
    """Decode a record with its regions.

    Returns
    -------
    vectors : (1 + n, d) float32
        Of the whole picture, then of its n regions: unit rows.
    regions : list of (Box, int)
        As many: box, and bytes of the code.

    Raises
    ------
    UsageError
        A code is longer than the profile's.
    """
    coded = [Region(WHOLE, record.payload), *regions_of(record)]
    lengths = [len(region.code) for region in coded]
    if max(lengths) > profile.max_bytes:
        raise UsageError(f"a code of {max(lengths)} bytes is longer than profile {profile.profile_id} makes")
    rows = [profile.decode(np.frombuffer(region.code, np.uint8)[None])[0] for region in coded]
    vectors = np.stack(rows)
    vectors[1:] = restore(vectors[1:], vectors[0], coefficient)
    return vectors, [(region.box, n) for region, n in zip(coded, lengths, strict=True)]
