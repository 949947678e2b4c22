"""`sememe selftest`: does this machine decode golden codes bit-exactly?"""

from __future__ import annotations

import argparse

from sememe.cli.output import Output
from sememe.errors import DecodeMismatchError

NAME = "selftest"
SUMMARY = "check that this machine decodes golden codes bit-exactly"
EXAMPLE = "sememe selftest"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments: none."""


def run(args: argparse.Namespace, out: Output) -> int:
    """Run every check the package ships; a mismatch ends with 4."""
    from sememe import api

    sound = True
    for check in api.selftest():
        sound = sound and check.ok
        fields = {"check": check.name, "ok": check.ok, "detail": check.detail}
        out.record(fields, f"{'ok' if check.ok else 'FAILED':6}  {check.name}  {check.detail}")
    return 0 if sound else DecodeMismatchError.exit_code
