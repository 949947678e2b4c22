"""`sememe encode`: images, or vectors, into codes."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from sememe.cli import options, regions
from sememe.cli.files import STDIO, read_bytes, writable
from sememe.cli.output import Output
from sememe.errors import InputError, SememeError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sememe.api import Codec, Encoded
    from sememe.profile import Profile

NAME = "encode"
SUMMARY = "turn images into codes of a few bytes"
EXAMPLE = """\
sememe encode cat.jpg -o cat.sem
sememe encode photos/ -o photos.sems
sememe encode - < cat.jpg | sememe info -"""

_BATCH = 32


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="INPUT",
        help="images, folders, globs, .tar, .parquet, @list.txt, - for stdin, or one .npy",
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="x.sem, x.sems (archive), x.npy (from vectors), - (stdout)"
    )
    options.add_bytes(parser, default="16, or what the archive has")
    parser.add_argument(
        "--min-cosine",
        type=options.cosine,
        metavar="C",
        help="fewest bytes that keep this cosine (not in archives)",
    )
    options.add_mean_bytes(parser)
    parser.add_argument(
        "--colours",
        action="store_true",
        help="also keep where which colours lie, in some nine bytes (.sem files only), for sememe generate",
    )
    regions.add_arguments(parser)
    parser.add_argument(
        "--shard",
        type=options.shard,
        metavar="I/N",
        help="take part I of N, 0/N to N-1/N, into an archive of its own; see sememe merge",
    )
    options.add_profile(parser)
    options.add_device(parser)
    parser.add_argument(
        "-j", "--jobs", type=options.count, default=2, metavar="N", help="threads that read images"
    )


def run(args: argparse.Namespace, out: Output) -> int:
    """Encode to what `-o` names."""
    from sememe.cli.sources import kind_of

    suffix = (args.output or "").rpartition(".")[2]
    if args.shard and suffix != "sems":
        raise UsageError("--shard makes a part of an archive: name it with -o, such as -o photos-0.sems")
    if args.colours:
        _check_colours(args, suffix)
    vectors = any(kind_of(name) == "vectors" for name in args.inputs)
    codec = _codec(args, suffix, vectors=vectors)
    _note_universal(codec, out)
    if regions.wanted(args):
        return regions.encode(args, codec, out)
    if vectors or suffix == "npy":
        return _vectors(args, codec, out)
    if suffix == "sems":
        return _archive(args, codec, out)
    if (
        suffix == "sem"
        or args.output == STDIO
        or (args.inputs == [STDIO] and not args.output and not out.json)
    ):
        return _files(args, codec, out)
    if args.output:
        raise UsageError(f"-o {args.output}: name a .sem file, a .sems archive, .npy codes, or - for stdout")
    return _lines(args, codec, out)


def _codec(args: argparse.Namespace, suffix: str, *, vectors: bool) -> Codec:
    """Load what is asked for; what is not said, an archive that exists has decided before."""
    from sememe import api
    from sememe.api.vectors import read_npy
    from sememe.archive import Archive

    profile, nbytes = args.profile or options.DEFAULT_PROFILE, args.bytes
    if suffix == "sems" and Path(args.output).exists():
        with Archive.open(args.output) as archive:
            profile = args.profile or api.codec_for(archive).profile
            nbytes = args.bytes or archive.nbytes
    if vectors and args.profile:
        profile = api.sized(args.profile, read_npy(args.inputs[0]).shape)
    return codec_to_spend(profile, nbytes, args.mean_bytes if suffix == "sems" else None)


def codec_to_spend(profile: str | Profile, nbytes: int | None, mean_bytes: float | None) -> Codec:
    """Load a codec for codes of one length; with a mean, of lengths up to `nbytes` or all the profile has."""
    from sememe import api

    codec = api.load(profile, nbytes=nbytes or options.DEFAULT_BYTES)
    if mean_bytes is None or nbytes is not None:
        return codec
    return api.load(codec.profile, nbytes=codec.profile.max_bytes)


def _check_colours(args: argparse.Namespace, suffix: str) -> None:
    """Raise UsageError where a colour layout has no place, or its picture has passed by."""
    if regions.wanted(args) or (suffix != "sem" and args.output != STDIO):
        raise UsageError("--colours goes into plain .sem files only: name one with -o, or - for stdout")
    if STDIO in args.inputs:
        raise UsageError("--colours looks at the picture a second time: give a file, not -")


def _note_universal(codec: Codec, out: Output) -> None:
    """Say once that a profile made from data would do better."""
    name = codec.profile.profile_id
    if name.startswith("universal/"):
        out.note(f"profile {name} was made without data; one that `sememe fit` makes needs far fewer bytes")


def _archive(args: argparse.Namespace, codec: Codec, out: Output) -> int:
    from sememe.batch import encode_paths

    if args.min_cosine:
        raise UsageError("an archive takes no --min-cosine: use --bytes or --mean-bytes, or write .sem files")
    inputs = [f"@{STDIO}" if name == STDIO else name for name in args.inputs]  # names, as `find` prints them
    with out.progress("encoding") as show:
        report = encode_paths(
            inputs,
            args.output,
            codec,
            workers=args.jobs,
            shard=args.shard,
            mean_bytes=args.mean_bytes,
            progress=show or False,
        )
    fields = {"output": args.output, "profile": codec.profile.profile_id, "nbytes": codec.nbytes}
    fields |= report.to_json()
    words = "{output}: {new:,} new, {changed:,} changed, {unchanged:,} unchanged  {bytes:,} B of new code"
    out.record(fields, words.format_map(fields))
    failed = {failure.path: InputError(failure.error) for failure in report.failed}
    return out.failures(failed, report.images + len(failed))


def _vectors(args: argparse.Namespace, codec: Codec, out: Output) -> int:
    from sememe import api
    from sememe.cli.sources import kind_of

    one_length = not args.min_cosine and not args.mean_bytes
    if len(args.inputs) != 1 or kind_of(args.inputs[0]) != "vectors" or not args.output or not one_length:
        raise UsageError("vectors: give one .npy file, and -o codes.npy for codes of one length (--bytes)")
    with writable(args.output) as target:
        count = api.encode_npy(args.inputs[0], target, codec)
    fields = {
        "output": args.output,
        "codes": count,
        "nbytes": codec.nbytes,
        "profile": codec.profile.profile_id,
    }
    if args.output != STDIO:
        out.record(fields, "{output}: {codes:,} codes of {nbytes} B".format_map(fields))
    return 0


def _files(args: argparse.Namespace, codec: Codec, out: Output) -> int:
    """Write `.sem` files: one to a name, or any number to stdout."""
    from sememe import api, bitstream
    from sememe.cli.sources import named

    output = args.output or STDIO
    failed: dict[str, SememeError] = {}
    paths = named(args.inputs, failed)
    total = len(paths) + len(failed)
    if output != STDIO and total != 1:
        raise UsageError(f"{output} holds one image, not {total}: name an archive, such as -o photos.sems")
    with writable(output) as target:
        for name, row, encoded in _encoded(args, codec, paths, failed):
            _note_missed(args, name, encoded.cosines[row], out)
            record = codec.record(encoded[row])
            if args.colours:
                record = api.with_colours(record, name)
            if isinstance(target, str):
                api.write_sem(target, record)
            else:
                target.write(bitstream.pack(record))
            if output != STDIO:
                _show(name, row, encoded, codec, out)
    return out.failures(failed, total)


def _lines(args: argparse.Namespace, codec: Codec, out: Output) -> int:
    """Print codes without storing them."""
    from sememe.cli.sources import named

    failed: dict[str, SememeError] = {}
    paths = named(args.inputs, failed)
    total = len(paths) + len(failed)
    for name, row, encoded in _encoded(args, codec, paths, failed):
        _note_missed(args, name, encoded.cosines[row], out)
        _show(name, row, encoded, codec, out)
    return out.failures(failed, total)


def _note_missed(args: argparse.Namespace, name: str, cosine: float, out: Output) -> None:
    """Say so if even the longest code does not keep what `--min-cosine` asks for."""
    if args.min_cosine is not None and cosine < args.min_cosine:
        out.note(f"{name}: the longest code keeps a cosine of {cosine:.3f}, less than {args.min_cosine}")


def _encoded(
    args: argparse.Namespace, codec: Codec, paths: list[str], failed: dict[str, SememeError]
) -> Iterator[tuple[str, int, Encoded]]:
    """Give name, row and codes of each image that has a code; a batch of pictures is in memory at once."""
    together = len(paths) if args.mean_bytes else _BATCH  # a mean is one of all, so all are coded at once
    for start in range(0, len(paths), together):
        names = paths[start : start + together]
        images = [read_bytes(name) if name == STDIO else name for name in names]
        encoded = codec.encode(
            images,
            nbytes=args.bytes,
            min_cosine=args.min_cosine,
            mean_bytes=args.mean_bytes,
            on_error="record",
        )
        for row, (name, error) in enumerate(zip(names, encoded.errors, strict=True)):
            if error is None:
                yield name, row, encoded
            else:
                failed[name] = error


def _show(name: str, row: int, encoded: Encoded, codec: Codec, out: Output) -> None:
    known = encoded.to_json()[row]
    fields = {"path": name, "profile": codec.profile.profile_id}
    fields |= {key: known[key] for key in ("nbytes", "code", "cosine", "width", "height")}
    out.record(fields, "{code}  {cosine:.3f}  {path}".format_map(fields))
