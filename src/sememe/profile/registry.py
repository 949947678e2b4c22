"""Registered profiles: their numbers on the wire never change their meaning."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from sememe.bitstream import REGISTERED
from sememe.errors import ProfileFormatError, UnknownProfileError
from sememe.profile import storage, universal
from sememe.profile.profile import Profile

__all__ = ["REGISTERED", "available", "load", "shipped_path"]

_SHIPPED = Path(__file__).parent.parent / "data" / "profiles"


def available() -> list[str]:
    """Names of the profiles that ship with the package."""
    return [name for name in REGISTERED.values() if shipped_path(name).is_file()]


def shipped_path(name: str) -> Path:
    """File of a shipped profile."""
    return _SHIPPED / f"{name}.safetensors"


def load(name_or_path: str | Path) -> Profile:
    """Load a profile by registered name, from a file, or make the universal one of a dimension.

    Raises
    ------
    UnknownProfileError
        There is no such name, and no file at that path.
    ProfileFormatError
        The file is no profile, or damaged.
    StorageError
        The file cannot be read.
    UsageError
        The universal code takes no such dimension.
    """
    numbers = {name: number for number, name in REGISTERED.items()}
    if str(name_or_path) in numbers:
        return _load_shipped(str(name_or_path), numbers[str(name_or_path)])
    path = Path(name_or_path)
    if not _exists(path):
        made = universal.named(str(name_or_path))
        if made is not None:
            return made
        raise UnknownProfileError(
            f"{name_or_path}: no profile of that name and no file; shipped are {', '.join(available())}"
        )
    return Profile.from_bytes(storage.read(path), source=str(path))


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # too long for a path, or below a folder that may not be searched
        return False


@lru_cache(maxsize=8)
def _load_shipped(name: str, number: int) -> Profile:
    path = shipped_path(name)
    if not path.is_file():
        raise UnknownProfileError(f"profile {name} is missing from this installation; install sememe again")
    profile = Profile.from_bytes(storage.read(path), registered=number, source=str(path))
    if profile.profile_id != name:
        raise ProfileFormatError(f"{path}: holds profile {profile.profile_id}; install sememe again")
    return profile
