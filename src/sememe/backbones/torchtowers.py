"""The two networks of a model run by PyTorch: through transformers, or through open_clip."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sememe.backbones.devices import torch_device
from sememe.backbones.modelfolder import ModelFolder, reason
from sememe.errors import MissingExtraError, ModelFormatError, SememeError

HUGGING_FACE_KINDS = ("clip", "siglip")
"""``model_type`` of the checkpoints that transformers runs here; SigLIP 2 of fixed size says siglip."""


class TorchTowers:
    """Either library's model; both embed in float32.

    Parameters
    ----------
    folder : ModelFolder
        Where the weights are.
    dim : int
        Length d of a vector.
    device : str
        See `devices.DEVICES`.
    """

    def __init__(self, folder: ModelFolder, *, dim: int, threads: int = 1, device: str = "auto") -> None:
        self._folder = folder
        self._threads = threads
        self._asked = device
        self.dim = dim

    @property
    def batch(self) -> int:
        """Pictures that are taken at once: more where there is a GPU."""
        return 16 if self.device.type == "cpu" else 64

    @cached_property
    def device(self) -> Any:
        """PyTorch's device.

        Raises
        ------
        DeviceUnavailableError
            It is not there.
        """
        need_torch()
        return torch_device(self._asked)

    @property
    def logit_scale(self) -> float | None:
        """Factor on cosines that was learned; loads the model."""
        return float(self.model.logit_scale.detach().exp().cpu())

    @cached_property
    def model(self) -> Any:
        """The loaded model, in evaluation mode.

        Raises
        ------
        ModelFormatError
            The weights are damaged, or not those that the configuration describes.
        """
        import torch

        torch.set_num_threads(self._threads)
        with _foreign_errors_named(self._folder.path):
            return self._load().to(self.device).eval()

    def embed_pixels(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Embed (n, 3, h, w) as (n, d) of any length."""
        return self._run(self._image, pixels)

    def embed_tokens(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Embed (n, length) as (n, d) of any length."""
        return self._run(self._text, ids)

    def _run(self, network: Any, values: NDArray[Any]) -> NDArray[np.float32]:
        import torch

        with torch.inference_mode():
            found = network(torch.from_numpy(values).to(self.device))
        vectors: NDArray[np.float32] = found.float().cpu().numpy()
        if vectors.ndim != 2 or vectors.shape[1] != self.dim:
            raise ModelFormatError(
                f"{self._folder.path}: gives {vectors.shape}, not vectors of {self.dim} numbers; the "
                "configuration is of another model"
            )
        return vectors

    def _load(self) -> Any:
        raise NotImplementedError

    def _image(self, pixels: Any) -> Any:
        raise NotImplementedError

    def _text(self, ids: Any) -> Any:
        raise NotImplementedError


class TransformersTowers(TorchTowers):
    """A checkpoint in Hugging Face's layout: `config.json` and `model.safetensors` or `pytorch_model.bin`."""

    def _load(self) -> Any:
        from transformers import AutoModel

        with _quiet_transformers():
            model, found = AutoModel.from_pretrained(
                self._folder.path, local_files_only=True, output_loading_info=True, dtype="float32"
            )
        missing = sorted(found["missing_keys"])
        if missing:
            raise ModelFormatError(
                f"{self._folder.path}: the weights lack {missing[0]} and {len(missing) - 1} more that "
                "config.json describes; copy or pull the model again"
            )
        return model

    def _image(self, pixels: Any) -> Any:
        return _vectors(self.model.get_image_features(pixel_values=pixels))

    def _text(self, ids: Any) -> Any:
        return _vectors(self.model.get_text_features(input_ids=ids))


class OpenClipTowers(TorchTowers):
    """A checkpoint in open_clip's layout.

    Parameters
    ----------
    arch : str
        An architecture of open_clip, or ``local-dir:`` and a folder with `open_clip_config.json`.
    weights : Path, optional
        The checkpoint; the one in the folder if not given.
    quick_gelu : bool
        Whether the checkpoint was trained with the sigmoid approximation of GELU, as OpenAI's were.
    """

    def __init__(
        self,
        folder: ModelFolder,
        *,
        arch: str,
        weights: Path | None = None,
        quick_gelu: bool = False,
        dim: int,
        threads: int = 1,
        device: str = "auto",
    ) -> None:
        super().__init__(folder, dim=dim, threads=threads, device=device)
        self._arch = arch
        self._weights = weights
        self._quick_gelu = quick_gelu

    def _load(self) -> Any:
        import open_clip

        return open_clip.create_model(
            self._arch,
            pretrained=str(self._weights) if self._weights else None,
            force_quick_gelu=self._quick_gelu,
            require_pretrained=True,
        )

    def _image(self, pixels: Any) -> Any:
        return self.model.encode_image(pixels)

    def _text(self, ids: Any) -> Any:
        return self.model.encode_text(ids)


def need_torch() -> None:
    """Raise MissingExtraError unless PyTorch is installed."""
    need("torch")


def need(module: str) -> None:
    """Raise MissingExtraError unless a library of the extra `torch` is installed, and starts."""
    for name in dict.fromkeys(("torch", module)):
        try:
            import_module(name)
        except ImportError as exc:
            raise MissingExtraError(f"this model needs {name}: pip install 'sememe[torch]'") from exc
        except (RuntimeError, OSError) as exc:  # builds of torch and torchvision that do not fit
            raise MissingExtraError(
                f"{name} does not start ({reason(exc)}); install torch and torchvision of one build"
            ) from exc


def hugging_face_dim(folder: ModelFolder) -> int:
    """Length d of a checkpoint's vectors, as its configuration class reads `config.json`.

    Raises
    ------
    ModelFormatError
        It is not a model that embeds pictures and texts into one space.
    """
    said = folder.json("config.json")
    kind = said.get("model_type")
    if kind not in HUGGING_FACE_KINDS:
        raise said.wrong("model_type", f"{' or '.join(HUGGING_FACE_KINDS)}, models of pictures and texts")
    need("transformers")
    from transformers import AutoConfig

    with _foreign_errors_named(folder.path):
        config: Mapping[str, Any] = AutoConfig.from_pretrained(folder.path, local_files_only=True).to_dict()
    return int(config["projection_dim"] if kind == "clip" else config["vision_config"]["hidden_size"])


def _vectors(found: Any) -> Any:
    """What transformers calls features: vectors until its version 4, an object that holds them since."""
    return getattr(found, "pooler_output", found)


@contextmanager
def _foreign_errors_named(path: Path) -> Iterator[None]:
    """Turn what a library raises over damaged files into our error, and keep its warnings quiet."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except (SememeError, MemoryError):
            raise
        except Exception as exc:  # pickle, safetensors, torch and both libraries have their own
            raise ModelFormatError(
                f"{path}: cannot be loaded ({reason(exc)}); copy or pull the model again"
            ) from exc


@contextmanager
def _quiet_transformers() -> Iterator[None]:
    """Keep transformers' reports and bars off stderr, and put its settings back."""
    logging = import_module("transformers.utils.logging")
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
