"""`sememe caption`: say in a sentence what codes show, and how sure that is."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from sememe.cli import options
from sememe.cli.output import Output
from sememe.errors import UsageError

if TYPE_CHECKING:
    from sememe.api import Codec
    from sememe.api.captioning import Captioner
    from sememe.caption import Caption

NAME = "caption"
SUMMARY = "say in a sentence what the codes show, and how sure that is"
EXAMPLE = "sememe caption cat.sem photos.sems -n 3"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument("inputs", nargs="+", metavar="INPUT", help=".sem files, archives, images, folders")
    parser.add_argument(
        "-n", "--number", type=options.count, default=1, metavar="N", help="captions of each (default 1)"
    )
    parser.add_argument(
        "--vocabulary", metavar="FILE", help="words and vectors to compose of, .npz (default: our own words)"
    )
    parser.add_argument("--captioner", metavar="FILE", help="network trained by recipes.captioner")
    parser.add_argument("--language-model", metavar="FOLDER", help="the language model that goes with it")
    options.add_bytes(parser, default="all there are")
    options.add_profile(parser)
    options.add_device(parser)


def run(args: argparse.Namespace, out: Output) -> int:
    """Print a caption of every code."""
    from sememe.api.captioning import caption
    from sememe.cli.sources import Sources, named

    _check(args)
    sources = Sources(args.profile, args.bytes)
    made: dict[str, Captioner] = {}
    count = 0
    for group in sources.groups(named(args.inputs, sources.failed)):
        mark = group.codec.profile.fingerprint.hex()
        if mark not in made:
            made[mark] = _captioner(args, group.codec, out)
        told = caption(group.codec, group.codes, made[mark], alternatives=args.number - 1)
        for name, captions in zip(group.names, told, strict=True):
            count += 1
            fields = {"path": name, "nbytes": group.nbytes, **captions[0].to_json()}
            fields["alternatives"] = [_short(other) for other in captions[1:]]
            out.record(fields, "\n".join(f"{name}  {_line(one)}" for one in captions))
    return out.failures(sources.failed, count + len(sources.failed))


def _check(args: argparse.Namespace) -> None:
    if (args.captioner is None) != (args.language_model is None):
        raise UsageError("--captioner and --language-model go together: give both or neither")
    if args.captioner is not None and args.vocabulary is not None:
        raise UsageError("--vocabulary composes captions and --captioner writes them: give one of the two")


def _captioner(args: argparse.Namespace, codec: Codec, out: Output) -> Captioner:
    """Make the captioner of a codec's profile."""
    from sememe.api.captioning import composer, prefix_captioner

    if args.captioner is not None:
        return prefix_captioner(codec, args.captioner, args.language_model)
    found = composer(codec, args.vocabulary)
    unused = len(found.vocabulary.left_out)
    if unused:
        out.note(f"{args.vocabulary}: {unused} names have no place in the tree and are not used")
    return found


def _short(other: Caption) -> dict[str, object]:
    return {key: value for key, value in other.to_json().items() if key != "claims"}


def _line(one: Caption) -> str:
    return one.text if one.confidence is None else f"{one.text} ({one.strength} {one.confidence:.2f})"
