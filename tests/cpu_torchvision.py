"""Make torchvision's wheel importable beside a PyTorch without CUDA: its transforms need none of its kernels.

The wheel's kernels are linked against CUDA, so beside a build for processors they do not load, and the import
ends where it looks for two of them. Declared without a body, they let the pure-Python part in.
"""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

import pytest

_DECLARED = []


def open_clip() -> ModuleType:
    """Import open_clip, which needs torchvision, or skip the test."""
    for name in ("torch", "open_clip", "torchvision"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"needs {name}, of the extra [torch]")
    mend()
    return importlib.import_module("open_clip")


def mend() -> None:
    """Make torchvision importable, if it is there: transformers imports it, too."""
    if not all(importlib.util.find_spec(name) for name in ("torch", "torchvision")):
        return
    try:
        importlib.import_module("torchvision")
    except RuntimeError as exc:
        if "torchvision::nms" not in str(exc):
            raise
        _declare()
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        importlib.import_module("torchvision")


def _declare() -> None:
    import torch

    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _DECLARED.append(library)  # it is withdrawn when nobody holds it
