"""A space and the tables of its code: what two people share before bytes mean anything.

A profile is one safetensors file. Its arrays are the tables of `sememe.code`; its one metadata entry,
`sememe`, is a manifest in canonical JSON. The fingerprint is a SHA-256 over the space, the preprocessing
and the tables: two profiles share it if and only if each reads what the other wrote.
"""

from sememe.profile.lengths import LENGTHS, errors_by_length
from sememe.profile.profile import MAX_BYTES, Profile
from sememe.profile.registry import REGISTERED, available, load, shipped_path

__all__ = [
    "LENGTHS",
    "MAX_BYTES",
    "REGISTERED",
    "Profile",
    "available",
    "errors_by_length",
    "load",
    "shipped_path",
]
