"""Fit the profile that the quality benchmarks judge: one progressive profile, nothing tuned per rate."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import output
import split
from sememe.profile import Profile

BYTES = (2, 4, 6, 8, 12, 16, 24, 32, 48, 64)


def fit_profile(parts: split.Split, data: Path) -> tuple[Profile, dict[str, Any]]:
    """Fit on the split's training vectors, with the text vectors that do not judge it.

    Returns
    -------
    profile : Profile
    facts : dict
        Rows of the split, seconds the fit took, bytes of the profile on disk.
    """
    start = time.perf_counter()
    manifest = {"profile_id": "bench", "space_id": "openai-clip-vit-b-32"}
    profile = Profile.fit(parts.fit.x, split.load_text(data), manifest=manifest, progress=output.note)
    seconds = time.perf_counter() - start
    output.note(f"fitted on {len(parts.fit.x)} vectors in {seconds:.0f} s")
    return profile, {
        "fit": len(parts.fit.x),
        "test": len(parts.test.x),
        "queries": len(parts.queries.x),
        "fit_seconds": round(seconds, 1),
        "profile_bytes": len(profile.to_bytes()),
    }
