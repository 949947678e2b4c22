"""What is fuzzed: each parser with inputs that it must read, and the mutations that get deep into it.

A target's `read` takes bytes and a folder to put files into, does what a user of the parser does next, and
may raise nothing but SememeError.
"""

from __future__ import annotations

from fuzz.targets import archives, codes, models, tables
from fuzz.targets.target import Target

TARGETS: dict[str, Target] = {
    target.name: target for module in (codes, archives, tables, models) for target in module.TARGETS
}

__all__ = ["TARGETS", "Target"]
