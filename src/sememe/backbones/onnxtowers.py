"""The two networks of a model as ONNX files, run by ONNX Runtime, or by OpenVINO."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sememe.backbones.devices import onnx_providers
from sememe.backbones.modelfolder import reason
from sememe.backbones.openvinosession import OpenVinoSession, Port
from sememe.errors import DeviceUnavailableError, ModelFormatError

if TYPE_CHECKING:
    import onnxruntime

Session: TypeAlias = "onnxruntime.InferenceSession | OpenVinoSession"

IMAGE_OUTPUTS = ("image_embeds", "embedding", "image_embedding", "unnorm_image_features", "image_features")
TEXT_OUTPUTS = ("text_embeds", "embedding", "text_embedding", "unnorm_text_features", "text_features")
POOLED = "pooler_output"
"""SigLIP's vector; CLIP's before its projection, which is of another space and never taken."""

_DTYPES = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}


class OnnxTowers:
    """Two ONNX files.

    Parameters
    ----------
    image, text : Path
        The files.
    pooled : bool
        Whether the model has no projection after pooling, as SigLIP.
    dim : int, optional
        Length d of a vector, where it is known; checked when a network starts.
    threads : int
        Threads of one inference.
    device : str
        See `devices.DEVICES`.
    logit_scale : float, optional

    Raises
    ------
    DeviceUnavailableError
        On first use: the device is not there.
    ModelFormatError
        On first use: a file is damaged, or gives no vectors.
    """

    def __init__(
        self,
        image: Path,
        text: Path,
        *,
        pooled: bool,
        dim: int | None = None,
        threads: int = 1,
        device: str = "auto",
        logit_scale: float | None = None,
    ) -> None:
        self._paths = {"image": image, "text": text}
        self._pooled = pooled
        self._dim = dim
        self._threads = threads
        self._device = device
        self.logit_scale = logit_scale
        self.batch = 16

    @property
    def dim(self) -> int:
        """Length d of a vector; starts the text network where nothing else says it."""
        return self._dim or self._text.dim

    def embed_pixels(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Embed (n, 3, h, w) as (n, d) of any length."""
        return self._image(pixels)

    def embed_tokens(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Embed (n, length) as (n, d) of any length."""
        return self._text(ids)

    @cached_property
    def _image(self) -> _Network:
        return self._start("image", IMAGE_OUTPUTS)

    @cached_property
    def _text(self) -> _Network:
        return self._start("text", TEXT_OUTPUTS)

    def _start(self, side: str, outputs: tuple[str, ...]) -> _Network:
        path = self._paths[side]
        session: Session = (
            OpenVinoSession(path, threads=self._threads)
            if self._device == "openvino"
            else start_session(path, threads=self._threads, device=self._device)
        )
        found = _Network(session, path, (*outputs, POOLED) if self._pooled else outputs)
        if self._dim not in (None, found.dim):
            raise ModelFormatError(
                f"{path}: gives vectors of {found.dim} numbers, but the model's are {self._dim} long; "
                "take both files from one export, with the projection"
            )
        self._dim = found.dim
        return found


class _Network:
    """One running network: which input takes the values, which output gives the vectors."""

    def __init__(self, session: Session, path: Path, outputs: tuple[str, ...]) -> None:
        self._session = session
        self._path = path
        names = {output.name: output for output in session.get_outputs()}
        known = [name for name in outputs if name in names]
        if not known:
            raise ModelFormatError(
                f"{path}: gives {', '.join(names)}, but no {outputs[0]}; export it with its projection"
            )
        self._output = known[0]
        self.dim = _last_axis(names[self._output].shape, path)
        self._inputs = session.get_inputs()

    def __call__(self, values: NDArray[Any]) -> NDArray[np.float32]:
        fed = {given.name: self._value(given, values) for given in self._inputs}
        parts = self._parts(fed, len(values))
        try:
            found: NDArray[np.float32] = np.concatenate(
                [self._session.run([self._output], part)[0] for part in parts]
            )
        except Exception as exc:  # each library has exceptions of its own
            raise ModelFormatError(
                f"{self._path}: does not run ({reason(exc)}); take the files of one model"
            ) from exc
        return found.astype(np.float32)

    def _value(self, given: onnxruntime.NodeArg | Port, values: NDArray[Any]) -> NDArray[Any]:
        """What an input is fed: the values, or the mask that some exports ask for, which hides nothing.

        CLIP's text network never looks past the end token that it pools, and SigLIP's was trained on padding.
        """
        if given.name == "attention_mask":
            return np.ones(values.shape, _DTYPES.get(given.type, np.int64))
        return values.astype(_DTYPES.get(given.type, np.float16 if "float16" in given.type else np.float32))

    def _parts(self, fed: dict[str, NDArray[Any]], rows: int) -> list[dict[str, NDArray[Any]]]:
        """Cut a batch for networks that take a fixed number of rows, mostly one."""
        fixed = self._inputs[0].shape[0]
        if not isinstance(fixed, int) or fixed == rows:
            return [fed]
        if fixed != 1:
            raise ModelFormatError(
                f"{self._path}: takes batches of {fixed} only; export it with a free batch axis"
            )
        return [{name: value[i : i + 1] for name, value in fed.items()} for i in range(rows)]


def start_session(path: Path, *, threads: int, device: str) -> onnxruntime.InferenceSession:
    """Load an ONNX file.

    Raises
    ------
    DeviceUnavailableError
        The device is not there, or does not take the network.
    ModelFormatError
        The file is damaged.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    providers = onnx_providers(device, onnxruntime.get_available_providers())
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=providers)
    except Exception as exc:  # as above
        raise ModelFormatError(
            f"{path}: no ONNX network, or damaged ({reason(exc)}); copy or pull the model again"
        ) from exc
    if device != "auto" and session.get_providers()[0] != providers[0][0]:
        raise DeviceUnavailableError(
            f"device {device}: ONNX Runtime could not start {providers[0][0]}; check its driver, "
            "or use --device cpu"
        )
    return session


def _last_axis(shape: list[int | str] | None, path: Path) -> int:
    if not shape or len(shape) != 2 or not isinstance(shape[1], int):
        raise ModelFormatError(
            f"{path}: gives {shape}, not one vector of known length a row; export it again"
        )
    return shape[1]
