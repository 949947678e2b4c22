"""The `sememe` command: every verb parses, makes one library call and prints.

Data goes to stdout, all else to stderr. Exit codes: 0 ok, 1 failed, 2 usage, 3 partial (some inputs failed),
4 integrity, 5 model not available, 130 interrupted. A reader that stops reading (`| head`) is no error.
"""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING

from sememe.errors import SememeError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line; the only place where an error becomes an exit code.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments without the program name; `sys.argv[1:]` when absent.

    Returns
    -------
    int
        The exit code (see the module's docstring).
    """
    try:
        status = _run(argv)
        print(end="", flush=True)  # a full disk or a gone reader shows here, not at exit
    except SememeError as error:
        return _complain(str(error), error.exit_code)
    except BrokenPipeError:
        _discard_stdout()
        return 0
    except KeyboardInterrupt:
        return _complain(
            "interrupted; what was acknowledged is kept, run the same command again to go on", 130
        )
    except OSError as error:
        _discard_stdout()
        return _complain(_describe(error), 1)
    except SystemExit as request:  # argparse leaves this way after --help and --version
        return int(request.code or 0)
    return status


def _run(argv: Sequence[str] | None) -> int:
    from sememe.cli.output import Output
    from sememe.cli.parser import build_parser

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # file names need not be text: print their bytes
            stream.reconfigure(errors="surrogateescape")
    args = build_parser().parse_args(argv)
    if getattr(args, "device", None):
        os.environ["SEMEME_DEVICE"] = args.device
    status: int = args.run(args, Output(json=args.json, quiet=args.quiet))
    return status


def _complain(message: str, status: int) -> int:
    line = " ".join(message.split())
    print(f"sememe: {line}", file=sys.stderr)
    return status


def _describe(error: OSError) -> str:
    reason = error.strerror or str(error)
    return (
        f"{os.fsdecode(error.filename)}: {reason}" if error.filename else f"cannot write the output: {reason}"
    )


def _discard_stdout() -> None:
    """Point stdout at nothing, so that the interpreter's own last flush cannot complain again."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):  # stdout is no file (a test's capture), or already closed
        return
