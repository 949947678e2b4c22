"""Coders by name, imported when asked for."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from sememe.errors import UsageError
from sememe.evaluate.coder import Coder

__all__ = ["NAMES", "coder"]

#: Where each coder is made: a module of `sememe.evaluate.coders`, and what to call there without arguments.
_MADE: dict[str, tuple[str, str]] = {
    "sememe": ("ours", "Sememe"),
}

NAMES = tuple(_MADE)


def coder(name: str) -> Coder:
    """Make a coder.

    Raises
    ------
    UsageError
        There is none of that name.
    """
    if name not in _MADE:
        raise UsageError(f"no coder is called {name!r}; there are {', '.join(NAMES)}")
    module, made = _MADE[name]
    return cast("Coder", getattr(import_module(f"sememe.evaluate.coders.{module}"), made)())
