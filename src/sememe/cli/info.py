"""`sememe info`: what a file is, read from its head alone; starts fast because it loads no model."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sememe import bitstream
from sememe.cli.files import SQLITE_MAGIC, head_of, read_bytes
from sememe.cli.output import Output
from sememe.errors import IntegrityError, MagicError

NAME = "info"
SUMMARY = "say what a .sem file, archive, profile or packet holds"
EXAMPLE = "sememe info cat.sem photos.sems"

NAMES = {0: "custom"} | bitstream.REGISTERED | {n: f"{s} (retired)" for n, s in bitstream.RETIRED.items()}
"""Profiles by number; `sememe.profile` would load numpy, half the time that this verb takes."""


_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument("inputs", nargs="+", metavar="FILE", help="file to look at; - reads stdin")
    parser.add_argument(
        "--packet", action="store_true", help="the bytes are bare packets, which have no magic"
    )


def run(args: argparse.Namespace, out: Output) -> int:
    """Describe each file; go on after a damaged one and end with 4."""
    damaged = False
    for name in args.inputs:
        try:
            for fields in describe(name, packet=args.packet):
                out.record(fields, _text(fields))
        except IntegrityError as error:
            damaged = True
            out.failures({name: error}, total=1)
    return IntegrityError.exit_code if damaged else 0


def describe(name: str, *, packet: bool) -> Iterator[dict[str, Any]]:
    """Yield one description per record of a `.sem` file, else exactly one."""
    head = head_of(name, len(SQLITE_MAGIC))
    if packet:
        yield _packet(name)
    elif head.startswith(bitstream.MAGIC):
        yield from _records(name)
    elif head == SQLITE_MAGIC:
        yield _archive(name)
    elif head.startswith(_PICTURES):
        yield from _generated(name)
    elif head[8:9] == b"{":  # safetensors: eight bytes of length, then JSON
        yield _profile(name)
    else:
        raise MagicError(
            f"{name}: no .sem file, archive or profile (a bare packet has no mark of its own: use --packet)"
        )


def _records(name: str) -> Iterator[dict[str, Any]]:
    data = read_bytes(name)
    for record in bitstream.parse_stream(data):
        yield _record(name, "sem", record, len(bitstream.pack(record)))


def _packet(name: str) -> dict[str, Any]:
    data = read_bytes(name)
    return _record(name, "packet", bitstream.parse_packet(data), len(data))


def _record(name: str, kind: str, record: Any, file_bytes: int) -> dict[str, Any]:
    known = NAMES.get(record.profile, f"unknown ({record.profile})")
    return {
        "path": name,
        "kind": kind,
        "profile": known,
        "fingerprint": record.fingerprint.hex() or None,
        "nbytes": len(record.payload),
        "code": record.payload.hex(),
        "file_bytes": file_bytes,
        "extensions": {str(tag): value.hex() for tag, value in record.extensions},
    }


def _archive(name: str) -> dict[str, Any]:
    from sememe.archive import Archive

    with Archive.open(name) as archive:
        return {
            "path": name,
            "kind": "archive",
            "profile": archive.profile.profile_id,
            "fingerprint": archive.profile.fingerprint.hex(),
            "nbytes": archive.nbytes,
            "images": len(archive),
            "failed": sum(1 for _ in archive.failed()),
            "code_bytes": archive.code_bytes,
            "file_bytes": Path(name).stat().st_size,
            "generation": archive.generation,
        }


def _profile(name: str) -> dict[str, Any]:
    from sememe import profile as profiles

    profile = profiles.load(Path(name))
    return {
        "path": name,
        "kind": "profile",
        "profile": profile.profile_id,
        "fingerprint": profile.fingerprint.hex(),
        "space": profile.space_id,
        "dim": profile.dim,
        "max_bytes": profile.max_bytes,
        "file_bytes": Path(name).stat().st_size,
    }


def _generated(name: str) -> Iterator[dict[str, Any]]:
    from sememe.generate.marking import read_marks

    marks = read_marks(read_bytes(name))
    if not marks:
        raise MagicError(f"{name}: a picture without a mark of having been generated")
    for mark in marks:
        yield {"path": name, "kind": "generated", **mark.to_json()}


def _text(fields: dict[str, Any]) -> str:
    words = {
        "archive": "{path}  archive  {profile}  {images:,} images x {nbytes} B = {code_bytes:,} B of code, "
        "{file_bytes:,} B on disk  {failed} failed",
        "profile": "{path}  profile  {profile}  space {space}  {dim}-d  up to {max_bytes} B a code",
        "generated": "{path}  generated from {nbytes} bytes, profile {profile}, seed {seed}, by {generator}",
        "packet": "{path}  packet  {profile}  {nbytes} B code  {code}",
        "sem": "{path}  {profile}  {nbytes} B code in {file_bytes} B  checksum ok  {code}",
    }
    text = words[fields["kind"]].format_map(fields)
    mixed = fields["kind"] == "archive" and fields["code_bytes"] != fields["images"] * fields["nbytes"]
    return text.replace(" images x ", " images of up to ") if mixed else text
