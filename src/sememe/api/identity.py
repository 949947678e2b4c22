"""Which profile reads these bytes: found by what they say of themselves, refused when it is another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sememe import profile as profiles
from sememe.api.universal import find_profile, recognise
from sememe.archive import ArchiveProfile
from sememe.bitstream import RETIRED
from sememe.errors import ProfileFormatError, ProfileMismatchError, UnknownProfileError
from sememe.profile import Profile
from sememe.profile.storage import canonical

if TYPE_CHECKING:
    from sememe.archive import Archive
    from sememe.bitstream import Record


def profile_of_archive(archive: Archive) -> Profile:
    """Load the profile of an archive: its own tables, or the shipped ones if it says so.

    Raises
    ------
    UnknownProfileError
        The archive names a shipped profile that this version does not have.
    ProfileMismatchError
        The profile found is not the one that made the archive.
    """
    wanted = archive.profile
    if wanted.tables is not None:
        found = Profile.from_bytes(wanted.tables, source=str(archive.path))
    elif wanted.profile_id in profiles.REGISTERED.values():
        found = profiles.load(wanted.profile_id)
    else:  # never a path: the archive may come from anywhere
        raise UnknownProfileError(
            f"{archive.path}: made with profile {wanted.profile_id}, unknown here; update sememe"
        )
    if found.fingerprint != wanted.fingerprint:
        raise ProfileMismatchError(
            f"{archive.path}: made with {wanted.profile_id} {wanted.fingerprint.hex()[:8]}, but here that is "
            f"{found.fingerprint.hex()[:8]}; use the version of sememe that made it, or encode again"
        )
    return found


def check_archive(archive: Archive, profile: Profile) -> None:
    """Raise ProfileMismatchError unless the archive was made with this profile."""
    theirs = archive.profile
    if theirs.fingerprint != profile.fingerprint:
        raise ProfileMismatchError(
            f"{archive.path}: made with profile {theirs.profile_id} {theirs.fingerprint.hex()[:8]}, not "
            f"{profile.profile_id} {profile.fingerprint.hex()[:8]}; drop --profile, or encode again"
        )


def profile_of_record(record: Record, *, profile: str | Path | None = None) -> Profile:
    """Load the profile of a record.

    Parameters
    ----------
    record : Record
    profile : str or Path, optional
        Needed for a custom profile, of which a record carries only four bytes of fingerprint; those of
        universal profiles of known models are recognised.

    Raises
    ------
    UnknownProfileError
        The record's profile is not known here and none was given.
    ProfileMismatchError
        The profile given is not the one that made the record.
    """
    if profile is not None:
        found = find_profile(profile)
        check_record(record, found)
        return found
    if record.profile == 0:
        made = recognise(record.fingerprint)
        if made is not None:
            return made
        raise UnknownProfileError(
            f"made with the custom profile {record.fingerprint.hex()}...; name its file with --profile"
        )
    if record.profile in RETIRED:
        raise UnknownProfileError(
            f"made with the retired profile {RETIRED[record.profile]}, whose tables no longer ship; "
            "read it with the version of sememe that made it, or encode the picture again"
        )
    name = profiles.REGISTERED.get(record.profile)
    if name is None:
        raise UnknownProfileError(f"made with profile number {record.profile}, unknown here; update sememe")
    return profiles.load(name)


def check_record(record: Record, profile: Profile) -> None:
    """Raise ProfileMismatchError unless the record was made with this profile."""
    if record.profile != profile.registered or not profile.fingerprint.startswith(record.fingerprint):
        theirs = (
            profiles.REGISTERED.get(record.profile) or record.fingerprint.hex() or f"number {record.profile}"
        )
        raise ProfileMismatchError(
            f"made with profile {theirs}, not {profile.profile_id} {profile.fingerprint.hex()[:8]}; "
            "name the profile that made it"
        )


def for_archive(profile: Profile) -> ArchiveProfile:
    """Describe a profile to an archive, tables and all if it is not a shipped one."""
    tables = None if profile.registered else profile.to_bytes()
    return ArchiveProfile(profile.profile_id, profile.fingerprint, canonical(profile.manifest), tables)


def backbone_id_of(profile: Profile) -> str:
    """Name of the backbone whose vectors a profile codes.

    Raises
    ------
    ProfileFormatError
        The manifest does not say.
    """
    name = profile.manifest.get("backbone_id")
    if not isinstance(name, str):
        raise ProfileFormatError(f"profile {profile.profile_id} names no backbone: it codes vectors only")
    return name
