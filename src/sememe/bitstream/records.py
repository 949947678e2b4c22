"""A record: what one `.sem` file or packet holds."""

from __future__ import annotations

from dataclasses import dataclass

from sememe.bitstream import extensions
from sememe.bitstream.extensions import Extension
from sememe.errors import FlagError, LengthError, TruncatedError

CUSTOM = 0
"""Profile byte of a profile that is not registered: a fingerprint follows."""

MAX_PAYLOAD = 255
"""Longest payload in bytes: its length is one byte."""

REGISTERED = {4: "clip-vit-b32", 5: "nano"}
"""Number on the wire to name. Literals: a number, once given, is never given to another profile."""

RETIRED = {1: "nano/1", 2: "clip-vit-b32/1", 3: "nano/2"}
"""Numbers of profiles that no longer ship, with the vector space of each."""

PREFIX = 4
"""Bytes of a custom profile's fingerprint that a file or packet carries."""


@dataclass(frozen=True, slots=True)
class Record:
    """One code and what is needed to read it; valid by construction, so that packing cannot fail.

    Parameters
    ----------
    profile : int
        1..127 for a registered profile, 0 for a custom one.
    fingerprint : bytes
        First 4 bytes of the profile's fingerprint if `profile` is 0; empty otherwise.
    payload : bytes
        The code, 1..255 bytes.
    extensions : tuple of Extension
        Fields with ascending tags. Tags that this version does not know are kept as they are.

    Raises
    ------
    FlagError
        `profile` does not fit its seven bits.
    LengthError
        `fingerprint` or `payload` has a length that the format forbids.
    ExtensionError
        Tags do not ascend, a known tag holds a forbidden value, or there is too much.
    """

    profile: int
    fingerprint: bytes
    payload: bytes
    extensions: tuple[Extension, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.profile <= 127:
            raise FlagError(f"profile {self.profile} is not in 0..127: bit 7 of its byte is reserved")
        expected = PREFIX if self.profile == CUSTOM else 0
        if len(self.fingerprint) != expected:
            raise LengthError(
                f"profile {self.profile} takes {expected} bytes of fingerprint, not {len(self.fingerprint)}"
            )
        if not 1 <= len(self.payload) <= MAX_PAYLOAD:
            raise LengthError(f"a payload takes 1 to {MAX_PAYLOAD} bytes, not {len(self.payload)}")
        extensions.check_order(self.extensions)
        extensions.check_values(self.extensions)

    def get(self, tag: int) -> bytes | None:
        """Value of the extension `tag`, or None if the record has none."""
        return dict(self.extensions).get(tag)


def pack_profile(record: Record) -> bytes:
    """Profile byte, and the fingerprint of a custom profile."""
    return bytes([record.profile]) + record.fingerprint


def parse_profile(data: bytes, at: int) -> tuple[int, bytes, int]:
    """Read what `pack_profile` wrote; return profile, fingerprint and the position after them."""
    if at >= len(data):
        raise TruncatedError("the bytes end before the profile")
    profile = data[at]
    if profile > 127:
        raise FlagError(
            f"bit 7 of the profile byte {profile:#04x} is set, which this version does not define"
        )
    if profile != CUSTOM:
        return profile, b"", at + 1
    end = at + 1 + PREFIX
    if end > len(data):
        raise TruncatedError("the bytes end within the fingerprint of a custom profile")
    return profile, data[at + 1 : end], end
