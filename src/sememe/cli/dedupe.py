"""`sememe dedupe`: copies of the same picture in an archive. It tells; it never deletes."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from sememe.cli import options
from sememe.cli.output import Output

if TYPE_CHECKING:
    from sememe.api.duplicates import Member

NAME = "dedupe"
SUMMARY = "find copies of the same picture in an archive"
EXAMPLE = """\
sememe dedupe photos.sems
sememe dedupe photos.sems -f --omit-first > copies.txt"""


COPY = 0.98
"""As `sememe.index.COPY`, which would load numpy."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument("archive", metavar="ARCHIVE", help="archive to look through")
    parser.add_argument(
        "--threshold",
        type=options.cosine,
        default=COPY,
        metavar="C",
        help=f"centred cosine from which on two codes are copies (default {COPY})",
    )
    parser.add_argument("--exact", action="store_true", help="compare all with all, however many there are")
    parser.add_argument(
        "-f", "--filepath-only", action="store_true", help="print paths only, an empty line between groups"
    )
    parser.add_argument(
        "--omit-first", action="store_true", help="leave out the picture to keep of each group"
    )
    options.add_bytes(parser, default="all there are")
    options.add_profile(parser)


def run(args: argparse.Namespace, out: Output) -> int:
    """Print the groups, the largest first, in each the picture to keep first."""
    from sememe import api
    from sememe.api.duplicates import find_duplicates
    from sememe.archive import Archive
    from sememe.errors import UsageError

    with Archive.open(args.archive) as archive:
        codec = api.codec_for(archive, profile=args.profile)
        total = len(archive)
    if args.bytes is not None and args.bytes > codec.nbytes:
        raise UsageError(
            f"{args.archive}: holds codes of {codec.nbytes} bytes, not {args.bytes}: lower --bytes"
        )
    with out.progress("comparing", "codes") as tell:
        groups = find_duplicates(
            codec, args.archive, threshold=args.threshold, nbytes=args.bytes, exact=args.exact, tell=tell
        )
    for number, group in enumerate(groups):
        members = group.members[args.omit_first :]
        text = "\n".join(member.path if args.filepath_only else _line(member) for member in members)
        fields = {"count": len(group.members), "members": [member.to_json() for member in members]}
        separated = number > 0 and not (args.filepath_only and args.omit_first)
        out.record(fields, f"\n{text}" if separated else text)
    copies = sum(len(group.members) - 1 for group in groups)
    where = f"{len(groups):,} group{'s' * (len(groups) != 1)}"
    out.note(f"{copies:,} of {total:,} pictures look like copies, in {where}; nothing was deleted")
    return 0


def _line(member: Member) -> str:
    return f"{member.cosine:.3f}  {member.width:>5} x {member.height:<5}  {member.path}"
