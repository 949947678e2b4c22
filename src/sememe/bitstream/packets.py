"""The packet: profile and payload, for links and columns that bring their own length and checksum."""

from __future__ import annotations

from sememe.bitstream.records import MAX_PAYLOAD, Record, pack_profile, parse_profile
from sememe.errors import LengthError, TruncatedError


def pack_packet(record: Record) -> bytes:
    """Serialize profile and payload only: 1 byte more than the payload (5 for a custom profile).

    Extensions have no place in a packet and are left out.
    """
    return pack_profile(record) + record.payload


def parse_packet(data: bytes) -> Record:
    """Read one packet; its end is the end of the bytes.

    Parameters
    ----------
    data : bytes
        The whole packet. It is not protected: a flipped bit gives another code.

    Returns
    -------
    Record
        Without extensions.

    Raises
    ------
    FormatError
        FlagError, TruncatedError (no payload) or LengthError (more than 255 bytes of it).
    """
    data = bytes(data)
    profile, fingerprint, at = parse_profile(data, 0)
    payload = data[at:]
    if not payload:
        raise TruncatedError("the packet ends before its payload")
    if len(payload) > MAX_PAYLOAD:
        raise LengthError(f"the packet holds {len(payload)} bytes of payload, at most {MAX_PAYLOAD} fit")
    return Record(profile, fingerprint, payload)
