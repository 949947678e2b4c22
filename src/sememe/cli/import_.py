"""`sememe import`: vectors of other tools, and exports of archives, into an archive."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sememe.cli import options
from sememe.cli.encode import codec_to_spend
from sememe.cli.output import Output
from sememe.errors import InputError, UsageError

if TYPE_CHECKING:
    from sememe.api import Codec
    from sememe.batch import Report
    from sememe.batch.importing import Vectors

NAME = "import"
SUMMARY = "take vectors of other tools, or an export, into an archive"
EXAMPLE = """\
sememe import photos.parquet -o photos.sems
sememe import embeddings/ --profile clip-vit-b32 -o photos.sems
sememe import table.parquet --vectors embedding --path url --profile clip-vit-b32 -o photos.sems"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="INPUT",
        help="Parquet of `sememe export`, .npy or Parquet of vectors, folders of clip-retrieval or Parquet",
    )
    parser.add_argument("-o", "--output", required=True, metavar="ARCHIVE", help="archive to make or add to")
    parser.add_argument("--vectors", metavar="COLUMN", help="column of Parquet that holds the vectors")
    parser.add_argument(
        "--path",
        metavar="COLUMN",
        help="column that names the images (default: FILE#ROW; image_path in folders)",
    )
    parser.add_argument("--names", metavar="LIST", help="text file with the names of the rows of one .npy")
    options.add_bytes(parser, default="16, or what the archive has")
    options.add_mean_bytes(parser)
    parser.add_argument(
        "--profile", metavar="P", help="profile of the vectors (default: that of the archive)"
    )


def run(args: argparse.Namespace, out: Output) -> int:
    """Import, and say what became of the rows."""
    from sememe.batch.importing import find_vectors, is_export

    exports = [is_export(name) for name in args.inputs]
    if all(exports):
        return _exports(args, out)
    if any(exports):
        raise UsageError("exports of archives and vectors of other tools: import them one after the other")
    found, failed = find_vectors(args.inputs, vectors=args.vectors, named_by=args.path, names=args.names)
    if not found:
        return out.failures(failed, len(failed))
    return _vectors(args, found, failed, out)


def _exports(args: argparse.Namespace, out: Output) -> int:
    from sememe.batch.importing import import_exports

    if args.profile or args.bytes or args.mean_bytes or args.vectors or args.path or args.names:
        raise UsageError("an export says itself what its codes are: give it and -o alone")
    with out.progress("importing") as show:
        report, origin = import_exports(args.inputs, args.output, progress=show or False)
    return _say(args.output, origin.profile.profile_id, origin.nbytes, report, out)


def _vectors(
    args: argparse.Namespace, found: list[Vectors], failed: dict[str, InputError], out: Output
) -> int:
    from sememe.batch.importing import import_vectors

    codec = _codec(args, found[0])
    with out.progress("importing") as show:
        report = import_vectors(
            found,
            args.output,
            codec,
            mean_bytes=args.mean_bytes,
            progress=show or False,
            unreadable=failed,
        )
    return _say(args.output, codec.profile.profile_id, codec.nbytes, report, out)


def _codec(args: argparse.Namespace, first: Vectors) -> Codec:
    """Load what is asked for; what is not said, an archive that exists has decided before."""
    from sememe import api
    from sememe.archive import Archive

    if Path(args.output).exists():
        with Archive.open(args.output) as archive:
            profile = args.profile or api.codec_for(archive).profile
            return api.load(profile, nbytes=args.bytes or archive.nbytes)
    if not args.profile:
        raise UsageError("vectors do not say what made them: name the profile of their space with --profile")
    profile = api.sized(args.profile, (len(first), first.dim() or 0))
    return codec_to_spend(profile, args.bytes, args.mean_bytes)


def _say(output: str, profile: str, nbytes: int, report: Report, out: Output) -> int:
    fields: dict[str, Any] = {"output": output, "profile": profile, "nbytes": nbytes} | report.to_json()
    del fields["changed"]  # a row has no content of its own that could
    words = "{output}: {new:,} new, {unchanged:,} known before or repeated  {bytes:,} B of new code"
    out.record(fields, words.format_map(fields))
    failed = {failure.path: InputError(failure.error) for failure in report.failed}
    return out.failures(failed, report.images + len(failed))
