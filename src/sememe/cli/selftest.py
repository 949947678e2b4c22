"""`sememe selftest`: whether this machine decodes golden codes bit-exactly."""

from __future__ import annotations

import argparse

from sememe.cli.output import Output

NAME = "selftest"
SUMMARY = "check that this machine decodes golden codes bit-exactly"
EXAMPLE = "sememe selftest"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments: none."""


def run(args: argparse.Namespace, out: Output) -> int:
    """Run every check the package ships; the library raises if one does not hold, which ends with 4."""
    from sememe import api

    for check in api.selftest():
        out.record(check.to_json(), f"{'ok' if check.ok else 'FAILED':6}  {check.name}  {check.detail}")
    return 0
