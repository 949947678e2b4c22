"""`sememe fit`: a profile of your own, from vectors or from images, and whether it is worth it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from sememe.cli import options
from sememe.cli.output import Output
from sememe.errors import InputError, SememeError, StorageError, UsageError

if TYPE_CHECKING:
    from sememe.profile.own import Own

NAME = "fit"
SUMMARY = "make a profile of your own from your vectors or images"
EXAMPLE = """\
sememe fit vectors.npy --space my-model -o my.profile
sememe fit photos -o my.profile --report report.md"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument(
        "inputs", nargs="+", metavar="INPUT", help=".npy or .npz files of vectors (n, d), or images, folders"
    )
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="profile file to write")
    parser.add_argument("--name", default="custom", help="name of the profile (default custom)")
    parser.add_argument("--space", metavar="S", help="name of the space of vectors that no known model made")
    parser.add_argument(
        "--text", metavar="FILE", help=".npy of text vectors of the space: keep what words can see"
    )
    parser.add_argument(
        "--profile",
        default=None,
        metavar="P",
        help="profile of the same space to start from and to compare with; its backbone embeds the images "
        "(default for images: nano)",
    )
    parser.add_argument(
        "--holdout",
        type=_share,
        default=0.1,
        metavar="SHARE",
        help="share of the vectors that judges and does not train (default 0.1; 0 for none)",
    )
    parser.add_argument(
        "--seed", type=_seed, default=0, metavar="N", help="of every random choice (default 0)"
    )
    parser.add_argument("--report", metavar="FILE", help="write the report to FILE.json or FILE.md")


def run(args: argparse.Namespace, out: Output) -> int:
    """Fit, save and say what came out."""
    from sememe.api.fit_report import as_text, write_report

    _check(args)
    failed: dict[str, SememeError] = {}
    if any(_kind(name) == "vectors" for name in args.inputs):
        own = _from_vectors(args, out)
    else:
        own = _from_images(args, out, failed)
    profile = own.profile
    profile.save(args.output)
    fields = {
        "output": args.output,
        "profile": profile.profile_id,
        "fingerprint": profile.fingerprint.hex(),
        "space": profile.space_id,
        "dim": profile.dim,
        "file_bytes": Path(args.output).stat().st_size,
    }
    if args.report:
        write_report(args.report, own.report, fields)
    for warning in own.report.warnings:
        out.note(f"warning: {warning}")
    words = "{output}: profile {profile} {fingerprint:.8} of space {space}, {dim} dimensions"
    out.record(fields | own.report.to_json(), f"{words.format_map(fields)}\n{as_text(own.report)}")
    return out.failures(failed, len(failed) + 1)


def _check(args: argparse.Namespace) -> None:
    """Find out now, not after minutes, that inputs make no sense or that nothing can be written."""
    from sememe.api.fit_report import check_report_name

    for name in args.inputs:
        if _kind(name) in ("archive", "sem"):
            raise UsageError(
                f"{name}: holds codes, not the vectors that they were made from; give those or images"
            )
    if args.report:
        check_report_name(args.report)
    for path in filter(None, (args.output, args.report)):
        if not Path(path).parent.is_dir():
            raise StorageError(f"{path}: there is no such folder; make it first")


def _kind(name: str) -> str:
    from sememe.cli.sources import kind_of

    return "vectors" if Path(name).suffix.lower() == ".npz" else kind_of(name)


def _from_vectors(args: argparse.Namespace, out: Output) -> Own:
    from sememe import api

    if any(_kind(name) != "vectors" for name in args.inputs):
        raise UsageError("vectors and images together: give .npy and .npz files only, or none")
    if bool(args.space) == bool(args.profile):
        raise UsageError("vectors: give --space NAME, or --profile P of the same space")
    if args.space:
        _note_known(args.space, out)
    with out.stages() as stages:
        return api.own_from_vectors(
            args.inputs,
            name=args.name,
            space=args.space,
            codec=api.load(args.profile) if args.profile else None,
            text=args.text,
            holdout=args.holdout,
            seed=args.seed,
            stages=stages,
        )


def _note_known(space: str, out: Output) -> None:
    """Say so if a shipped profile codes these vectors already."""
    from sememe import profile

    for name in profile.available():
        if profile.load(name).space_id == space:
            out.note(
                f"{space} is the space of the profile {name}: --profile {name} would be compared with it"
            )


def _from_images(args: argparse.Namespace, out: Output, failed: dict[str, SememeError]) -> Own:
    from sememe import api
    from sememe.batch import own_from_images

    if args.space or args.text:
        raise UsageError("images: their space and texts are those of the backbone; drop --space and --text")
    codec = api.load(args.profile or options.DEFAULT_PROFILE)
    with out.progress("embedding") as show, out.stages() as stages:
        own, failures = own_from_images(
            args.inputs,
            codec,
            name=args.name,
            holdout=args.holdout,
            seed=args.seed,
            resume=f"{args.output}.resume",
            progress=show or False,
            stages=stages,
        )
    failed |= {failure.path: InputError(failure.error) for failure in failures}
    return own


def _share(text: str) -> float:
    """Parse a share that can be held out."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 0.5:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share in 0..0.5")
    return value


def _seed(text: str) -> int:
    """Parse a seed: a number that is not negative."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number in 0, 1, 2, …")
    return int(text)
