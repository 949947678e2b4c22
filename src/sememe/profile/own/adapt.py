"""A known profile, made to expect what these vectors are: few vectors are enough for that."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sememe.code import CodeTables, ProgressiveCode
from sememe.profile.profile import Profile
from sememe.profile.storage import complete
from sememe.rangecoder import quantize_frequencies
from sememe.types import Embeddings, Json

__all__ = ["adapt"]

_PRIOR = 20.0  # vectors that what the profile knew of its modes' frequencies counts for


def adapt(base: Profile, x: Embeddings, manifest: Mapping[str, Json]) -> Profile:
    """Give the modes of a profile the frequencies with which vectors use them; all else stays.

    Modes that the vectors never use become dear, those that they use get cheap: a mode takes 6 of the 32
    bits of a short code where 64 are equally likely, and 2 where one of four is. The shape of each mode, for
    which a few hundred vectors say too little, stays as the many vectors of the profile made it.

    Parameters
    ----------
    base
        Profile to start from.
    x
        (n, d) float32 unit rows.
    manifest
        Of the new profile.

    Notes
    -----
    Maximum a posteriori adaptation of mixture weights, as in D. A. Reynolds, T. F. Quatieri and R. B. Dunn,
    "Speaker verification using adapted Gaussian mixture models" (2000), section 3.3, from a fixed count.
    """
    tables = base.tables
    counts = np.bincount(ProgressiveCode(tables).choose_modes(x), minlength=tables.modes)
    before = tables.mode_frequencies / tables.mode_frequencies.sum()
    frequencies = quantize_frequencies(counts + _PRIOR * before)
    dearer = np.log(before) - np.log(frequencies / frequencies.sum())
    costs = tables.mode_costs + np.rint(2.0 * float(tables.floor) * dearer)  # the term −λ log₂ p of the cost
    adapted = {
        "mode_frequencies": frequencies.astype(np.int32),
        "mode_costs": costs.astype(np.int64),
    }
    return Profile(CodeTables.from_arrays(tables.to_arrays() | adapted), complete(manifest))
