"""Codes to draw from, one by one, each with what is known of it besides."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sememe.cli.files import STDIO, read_bytes
from sememe.cli.options import DEFAULT_BYTES, DEFAULT_PROFILE
from sememe.errors import InputError, SememeError, UsageError

if TYPE_CHECKING:
    from sememe.api import Codec
    from sememe.archive import Archive, Item

__all__ = ["Subject", "read_subjects"]


@dataclass(frozen=True, slots=True)
class Subject:
    """One code to draw from."""

    name: str
    codec: Codec
    code: bytes
    fidelity: float | None
    """Cosine with the vector of the original that the code does not fall below; None if nobody knows."""
    colours: bytes | None = None
    """Colour layout of the original, where the file has one."""


def read_subjects(args: argparse.Namespace, failed: dict[str, SememeError]) -> list[Subject]:
    """Read the codes of all inputs; pictures are encoded. What cannot be read goes to `failed`.

    Raises
    ------
    UsageError
        There is nothing to read, or `--row` without an archive.
    """
    from sememe.cli.sources import kind_of, named

    paths = named(args.inputs, failed)
    kinds = {path: kind_of(path) for path in paths}
    if args.row and "archive" not in kinds.values():
        raise UsageError("--row names an item of an archive, and no input is one")
    read = {"sem": _records, "archive": _archive, "picture": _picture}
    codecs: dict[bytes, Codec] = {}
    subjects: list[Subject] = []
    for path, kind in kinds.items():
        try:
            if kind not in read:
                raise InputError(
                    f"{path}: bare codes or vectors; decode them, or give a .sem file or archive"
                )
            found = list(read[kind](path, args))
        except UsageError:
            raise
        except SememeError as error:
            failed[path] = error
            continue
        subjects += [_shared(one, codecs) for one in found]
    return subjects


def _shared(subject: Subject, codecs: dict[bytes, Codec]) -> Subject:
    """Give it the first codec of its profile, whose backbone may be loaded."""
    codec = codecs.setdefault(subject.codec.profile.fingerprint, subject.codec)
    return Subject(subject.name, codec, subject.code, subject.fidelity, subject.colours)


def _records(name: str, args: argparse.Namespace) -> Iterator[Subject]:
    from sememe import api
    from sememe.bitstream import Tag
    from sememe.cli.sources import records

    found = records(name)
    for place, record in enumerate(found):
        codec = api.codec_for(record, profile=args.profile)
        code = _cut(record.payload, args.bytes, name)
        byte = record.get(Tag.FIDELITY)
        known = byte[0] if byte and code == record.payload else None
        label = name if len(found) == 1 else f"{name}:{place}"
        yield Subject(label, codec, code, _fidelity(known), record.get(Tag.COLOURS))


def _archive(name: str, args: argparse.Namespace) -> Iterator[Subject]:
    from sememe import api
    from sememe.archive import Archive

    with Archive.open(name) as archive:
        codec = api.codec_for(archive, profile=args.profile)
        for item, whole in _rows(archive, args.row):
            code = _cut(whole, args.bytes, name)
            yield Subject(item.path, codec, code, _fidelity(item.fidelity if code == whole else None))


def _rows(archive: Archive, wanted: list[str] | None) -> Iterator[tuple[Item, bytes]]:
    """Give the items that are wanted, or all, with their codes."""
    if wanted:
        yield from ((archive.get(path), archive.code(path)) for path in wanted)
        return
    with archive.snapshot():
        _, codes, lengths = archive.coded()
        cut = (bytes(code[:length]) for code, length in zip(codes, lengths, strict=True))
        yield from zip(archive.items("ok"), cut, strict=True)


def _picture(name: str, args: argparse.Namespace) -> Iterator[Subject]:
    from sememe import api

    nbytes = args.bytes or DEFAULT_BYTES
    codec = api.load(args.profile or DEFAULT_PROFILE, nbytes=nbytes)
    encoded = codec.encode([read_bytes(name) if name == STDIO else name], nbytes=nbytes)
    cosine = float(encoded.cosines[0])
    yield Subject(name, codec, encoded[0], cosine if cosine > 0 else None)


def _cut(code: bytes, nbytes: int | None, name: str) -> bytes:
    if nbytes is not None and nbytes > len(code):
        raise UsageError(f"{name}: holds codes of {len(code)} bytes, not {nbytes}: lower --bytes")
    return code[:nbytes]


def _fidelity(byte: int | None) -> float | None:
    """Cosine that a fidelity byte promises; None if it promises nothing."""
    from sememe.metrics import byte_to_fidelity

    return None if byte is None else byte_to_fidelity(byte) or None
