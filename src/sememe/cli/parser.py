"""The command line's grammar: a parser whose complaints are one line, and the list of verbs."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, NoReturn, Protocol, cast

import sememe
from sememe.cli import (
    bench,
    caption,
    classify,
    compact,
    decode,
    dedupe,
    demo,
    encode,
    explain,
    export,
    find,
    fit,
    generate,
    import_,
    info,
    map_,
    merge,
    models,
    packet,
    plot,
    remove,
    report,
    search,
    selftest,
    serve,
    truncate,
    verify,
)
from sememe.errors import UsageError

if TYPE_CHECKING:
    from sememe.cli.output import Output

EXIT_CODES = """\
exit codes: 0 ok, 1 failed, 2 usage, 3 some inputs failed, 4 integrity,
            5 model not available, 130 interrupted"""


class Verb(Protocol):
    """What a verb's module offers."""

    NAME: str
    SUMMARY: str
    EXAMPLE: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the verb's own arguments."""

    def run(self, args: argparse.Namespace, out: Output) -> int:
        """Do it and return the exit code."""
        ...


VERBS = cast(
    "tuple[Verb, ...]",
    (
        encode,
        decode,
        info,
        classify,
        search,
        dedupe,
        map_,
        serve,
        report,
        caption,
        find,
        generate,
        explain,
        packet,
        truncate,
        verify,
        merge,
        remove,
        compact,
        export,
        import_,
        fit,
        bench,
        plot,
        models,
        selftest,
        demo,
    ),
)


class Parser(argparse.ArgumentParser):
    """An argument parser that raises instead of leaving, so that errors have one way out."""

    def error(self, message: str) -> NoReturn:
        """Raise UsageError with one line that names the help."""
        raise UsageError(f"{message} (see {self.prog} --help)")


def build_parser() -> Parser:
    """Build the whole grammar; imports nothing but argparse."""
    parser = Parser(
        prog="sememe",
        description="An image's meaning in 16 bytes: keep it, send it, search it, classify it.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"sememe {sememe.__version__}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", dest="verb", required=True)
    for verb in VERBS:
        _add_verb(verbs, verb)
    return parser


def _add_verb(verbs: argparse._SubParsersAction[Parser], verb: Verb) -> None:
    parser = verbs.add_parser(
        verb.NAME,
        help=verb.SUMMARY,
        description=f"{verb.SUMMARY[0].upper()}{verb.SUMMARY[1:]}.",
        epilog=f"example:\n{_indent(verb.EXAMPLE)}\n\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verb.add_arguments(parser)
    common = parser.add_argument_group("output")
    common.add_argument("--json", action="store_true", help="print JSON: one object, or one a line for many")
    common.add_argument("-q", "--quiet", action="store_true", help="no progress and no notes on stderr")
    parser.set_defaults(run=verb.run)


def _indent(text: str) -> str:
    return "\n".join(f"  $ {line}" for line in text.strip().splitlines())
