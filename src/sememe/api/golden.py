"""Whether this machine decodes golden codes to exactly the vectors that every other machine gets."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from importlib.resources import files

import numpy as np

from sememe import profile as profiles
from sememe.api.results import Check
from sememe.errors import DecodeMismatchError, SememeError
from sememe.profile import Profile
from sememe.types import Codes

_LENGTHS = (1, 4, 8, 16, 32, 64)
_ROWS = 64


def selftest() -> Iterator[Check]:
    """Decode fixed codes with every shipped profile, and compare with what was found when it was released.

    Yields
    ------
    Check
        One for each profile and length of code. A check that cannot be made is not ok.

    Raises
    ------
    DecodeMismatchError
        After the last check, if one was not ok.
    """
    failed = 0
    for check in _checks():
        failed += not check.ok
        yield check
    if failed:
        raise DecodeMismatchError(
            f"{failed} golden checks failed: codes do not decode here as elsewhere; install sememe and numpy "
            "anew, or report this machine"
        )


def _checks() -> Iterator[Check]:
    golden = json.loads((files("sememe") / "data" / "golden.json").read_text("utf-8"))
    for name in profiles.available():
        expected = golden.get(name, {})
        for length in _LENGTHS:
            yield _check(name, length, expected.get(str(length)))


def digests(profile: Profile) -> dict[str, str]:
    """SHA-256 of the vectors that the golden codes of each length decode to: what `golden.json` holds."""
    return {str(length): _digest(profile, length) for length in _LENGTHS}


def golden_codes(length: int) -> Codes:
    """Make fixed codes (64, length), each row the first bytes of the SHA-512 of its number."""
    rows = [hashlib.sha512(row.to_bytes(2, "big")).digest() for row in range(_ROWS)]
    return np.frombuffer(b"".join(rows), np.uint8).reshape(_ROWS, -1)[:, :length].copy()


def _check(name: str, length: int, expected: str | None) -> Check:
    title = f"{name} decodes {_ROWS} codes of {length} bytes"
    if expected is None:
        return Check(title, False, "no golden digest ships with this version")
    try:
        found = _digest(profiles.load(name), length)
    except SememeError as exc:
        return Check(title, False, str(exc))
    if found != expected:
        return Check(title, False, f"vectors differ on this machine: {found[:16]}, not {expected[:16]}")
    return Check(title, True, found[:16])


def _digest(profile: Profile, length: int) -> str:
    vectors = profile.decode(golden_codes(length))
    return hashlib.sha256(np.ascontiguousarray(vectors, "<f4").tobytes()).hexdigest()
