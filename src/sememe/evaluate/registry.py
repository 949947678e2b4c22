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
    "sememe-mean": ("ours", "SememeMean"),
    "pq": ("faiss_codes", "Product"),
    "opq": ("faiss_codes", "OptimizedProduct"),
    "rq": ("faiss_codes", "Residual"),
    "lsq": ("faiss_codes", "LocalSearch"),
    "prq": ("faiss_codes", "ProductResidual"),
    "rabitq": ("faiss_codes", "RaBitQ"),
    "itq": ("signs", "Itq"),
    "sign": ("signs", "Sign"),
    "int8": ("eight_bits", "Int8"),
    "truncate": ("eight_bits", "Truncate"),
    "pca-int8": ("eight_bits", "PcaInt8"),
    "pca-ecsq": ("pca_ecsq", "PcaEcsq"),
    "uniform": ("uniform", "Uniform"),
    "bottleneck": ("bottleneck", "Bottleneck"),
    "pqvae": ("pqvae", "PqVae"),
    "pqvae-fixed": ("pqvae", "PqVaeFixed"),
    "pqvae-own": ("pqvae", "PqVaeOwn"),
    "label": ("labels", "Label"),
    "label-name": ("labels", "LabelName"),
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
