"""Weights from a folder into memory: libraries on use, their chatter off, their many errors as ours."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from sememe.errors import (
    DeviceUnavailableError,
    MissingExtraError,
    ModelFormatError,
    ModelUnavailableError,
    SememeError,
)

__all__ = ["device_named", "libraries", "loading", "quiet", "read_json", "weights_options"]

EXTRA = "pip install 'sememe[gen]'"


def libraries() -> tuple[ModuleType, ModuleType]:
    """Import torch and diffusers.

    Raises
    ------
    MissingExtraError
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import diffusers
            import torch
            import transformers  # noqa: F401  (diffusers offers its CLIP pipelines only beside it)
    except ImportError as exc:
        raise MissingExtraError(f"this generator needs torch, transformers and diffusers: {EXTRA}") from exc
    return torch, diffusers


def device_named(torch: Any, name: str | None) -> Any:
    """Give the device of that name; without one the GPU if there is one.

    Raises
    ------
    DeviceUnavailableError
        There is no such device here.
    """
    if name in (None, "auto"):
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except Exception as exc:  # which error torch raises depends on the kind of device
        raise DeviceUnavailableError(
            f"device {name!r} cannot be used here; leave --device out, or take cpu"
        ) from exc
    return device


def weights_options(torch: Any, folder: Path, device: Any) -> dict[str, Any]:
    """Options of `from_pretrained`: half precision on a GPU only, safetensors only, no network ever."""
    half = device.type == "cuda"
    names = [path.name for path in (folder / "unet").glob("*.safetensors")]
    has_half = any(".fp16." in name for name in names)
    has_full = any(".fp16." not in name for name in names)
    return {
        "torch_dtype": torch.float16 if half else torch.float32,
        "variant": "fp16" if has_half and (half or not has_full) else None,
        "use_safetensors": True,
        "local_files_only": True,
    }


@contextmanager
def loading(what: Path) -> Iterator[None]:
    """Run foreign code that reads weights; whatever it raises becomes one line that names the folder.

    Raises
    ------
    ModelUnavailableError
        A file is missing or cannot be read; the libraries report some damaged ones so, too.
    ModelFormatError
        A file is damaged, or does not fit the others.
    """
    try:
        with quiet():
            yield
    except SememeError:
        raise
    except OSError as exc:
        raise ModelUnavailableError(
            f"{what}: a file is missing or damaged ({_reason(exc)}); get the folder again"
        ) from exc
    except Exception as exc:  # each of torch, transformers, diffusers and safetensors has errors of its own
        raise ModelFormatError(
            f"{what}: damaged, or parts do not fit ({_reason(exc)}); get it again"
        ) from exc


def _reason(error: Exception) -> str:
    return (" ".join(str(error).split()) or type(error).__name__)[:160]


@contextmanager
def quiet() -> Iterator[None]:
    """Silence warnings, log lines and progress bars of the libraries while the block runs."""
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    before = logging.root.manager.disable
    bars = [one for one in (diffusers_logging, transformers_logging) if one.is_progress_bar_enabled()]
    logging.disable(logging.CRITICAL)
    for one in bars:
        one.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
        for one in bars:
            one.enable_progress_bar()


def read_json(path: Path) -> dict[str, Any]:
    """Read a configuration that must be there.

    Raises
    ------
    ModelUnavailableError
        It is missing.
    ModelFormatError
        It is no JSON object.
    """
    try:
        found = json.loads(path.read_text("utf-8"))
    except OSError as exc:
        raise ModelUnavailableError(f"{path}: missing ({exc.strerror}); get the whole folder") from exc
    except (ValueError, RecursionError) as exc:
        raise ModelFormatError(f"{path}: damaged, not JSON; get the folder again") from exc
    if not isinstance(found, dict):
        raise ModelFormatError(f"{path}: damaged, not a JSON object; get the folder again")
    return found
