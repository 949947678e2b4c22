"""`sememe models`: which profiles and models are on this machine; fetch, check and remove them."""

from __future__ import annotations

import argparse

from sememe.cli.output import Output
from sememe.errors import SememeError, UsageError

NAME = "models"
SUMMARY = "list, fetch, check and remove models"
EXAMPLE = "sememe models list\nsememe models pull clip-vit-b32\nsememe models path clip-vit-b32"

_ACTIONS = {
    "list": "show what is here and what has a name",
    "pull": "fetch models",
    "path": "print where they are",
    "verify": "hash their files anew",
    "remove": "take away what was pulled",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    told = "; ".join(f"{name}: {text}" for name, text in _ACTIONS.items())
    parser.add_argument("action", choices=_ACTIONS, metavar="ACTION", help=told)
    parser.add_argument("names", nargs="*", metavar="NAME", help="as listed, or hf:ORG/NAME[@REVISION]")
    parser.add_argument("--files", metavar="A,B", help="pull: of hf:ORG/NAME only these, or '*.json'")
    parser.add_argument("--update", action="store_true", help="pull: go to the revision's newest commit")
    parser.add_argument("--offline", action="store_true", default=None, help="pull: open no socket")


def run(args: argparse.Namespace, out: Output) -> int:
    """List everything, or do one thing with each model that is named."""
    from sememe.cli.models import actions, names

    if args.action != "pull" and (args.files or args.update):
        raise UsageError(f"{args.action}: --files and --update are for pull")
    if args.action == "list":
        return actions.show(out)
    if args.action == "verify" and not args.names:
        args.names = names.here()
        if not args.names:
            out.note("no model was pulled, so there is nothing to verify")
    elif not args.names:
        raise UsageError(f"{args.action}: name one of {', '.join(names.known())}, or hf:ORG/NAME")
    act = {"pull": actions.pull, "path": actions.path, "verify": actions.verify, "remove": actions.remove}
    failed: dict[str, SememeError] = {}
    for name in args.names:
        try:
            act[args.action](name, args, out)
        except SememeError as error:
            failed[name] = error
    return out.failures(failed, len(args.names))
