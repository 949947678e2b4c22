"""Which processor a network runs on: as asked, or the best that is there."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sememe.errors import DeviceUnavailableError, UsageError

if TYPE_CHECKING:
    import torch

DEVICES = ("auto", "cpu", "cuda", "coreml", "mps", "openvino")
"""Names that `--device` takes; ``auto`` is the best that is there, but OpenVINO only when named."""

_PROVIDERS = {"cuda": "CUDAExecutionProvider", "coreml": "CoreMLExecutionProvider"}
_CPU = "CPUExecutionProvider"


def check_device(device: str) -> str:
    """Return a device's name, ``cuda:1`` included; what ``SEMEME_DEVICE`` says stands in for ``auto``.

    Raises
    ------
    UsageError
        There is no such name.
    """
    device = os.environ.get("SEMEME_DEVICE") or device if device == "auto" else device
    name, _, number = device.partition(":")
    if name not in DEVICES or (number and not (name == "cuda" and number.isdecimal())):
        raise UsageError(f"unknown device {device!r}; write one of {', '.join(DEVICES)}, or cuda:1")
    return device


def onnx_providers(device: str, available: Sequence[str]) -> list[tuple[str, dict[str, str]]]:
    """ONNX Runtime's execution providers for a device, best first, the processor last.

    Parameters
    ----------
    device : str
        One of `DEVICES`, ``cuda:1`` included.
    available : sequence of str
        What this build of ONNX Runtime offers.

    Raises
    ------
    DeviceUnavailableError
        It does not offer the device.
    """
    name, _, number = check_device(device).partition(":")
    wanted = list(_PROVIDERS) if name == "auto" else [name] if name != "cpu" else []
    if name != "auto" and name != "cpu" and _PROVIDERS.get(name) not in available:
        raise DeviceUnavailableError(
            f"device {device}: this ONNX Runtime offers {', '.join(available)} only; "
            f"{'install onnxruntime-gpu' if name == 'cuda' else 'take another device'}, or use --device cpu"
        )
    found = [_PROVIDERS[key] for key in wanted if _PROVIDERS.get(key) in available]
    options = {"device_id": number} if number else {}
    return [*((provider, options) for provider in found), (_CPU, {})]


def torch_device(device: str) -> torch.device:
    """PyTorch's device.

    Raises
    ------
    DeviceUnavailableError
        This machine, or this build of PyTorch, does not have it.
    """
    import torch

    name, _, number = check_device(device).partition(":")
    there = {
        "cuda": torch.cuda.is_available() and int(number or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        return torch.device(next(key for key, here in there.items() if here))
    if not there.get(name):
        seen = ", ".join(key for key, here in there.items() if here)
        raise DeviceUnavailableError(
            f"device {device}: PyTorch {torch.__version__} sees {seen} only; use --device cpu, or install a "
            "build for your GPU"
        )
    return torch.device(device)
