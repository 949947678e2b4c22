"""OpenVINO behind the interface of an ONNX Runtime session, as far as that is used here.

Its own choice of precision depends on the processor (bfloat16 where there is one), and vectors drift with it
by some hundredths. So the precision is pinned to float32: the same picture gives the same code everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sememe.backbones.modelfolder import reason
from sememe.errors import MissingExtraError, ModelFormatError

PRECISION = "f32"

_TYPES = {"f32": "tensor(float)", "f16": "tensor(float16)", "i64": "tensor(int64)", "i32": "tensor(int32)"}


class Port(NamedTuple):
    """An input or an output, named as ONNX Runtime names it."""

    name: str
    shape: list[int | str]
    type: str


class OpenVinoSession:
    """An ONNX file, run by OpenVINO on the processor in float32.

    Parameters
    ----------
    path : Path
    threads : int
        Threads of one inference.

    Raises
    ------
    MissingExtraError
        OpenVINO is not installed.
    ModelFormatError
        The file is damaged.
    """

    def __init__(self, path: Path, *, threads: int) -> None:
        try:
            import openvino
        except ImportError as exc:
            raise MissingExtraError("device openvino: pip install 'sememe[openvino]'") from exc
        settings = {"INFERENCE_PRECISION_HINT": PRECISION, "INFERENCE_NUM_THREADS": threads}
        try:
            self._model: Any = openvino.Core().compile_model(str(path), "CPU", settings)
        except RuntimeError as exc:
            raise ModelFormatError(
                f"{path}: no ONNX network, or damaged ({reason(exc)}); copy or pull the model again"
            ) from exc

    @property
    def precision(self) -> str:
        """What OpenVINO says that it computes in."""
        return str(self._model.get_property("INFERENCE_PRECISION_HINT").get_type_name())

    def get_inputs(self) -> list[Port]:
        """What the network takes."""
        return [_port(port) for port in self._model.inputs]

    def get_outputs(self) -> list[Port]:
        """What the network gives."""
        return [_port(port) for port in self._model.outputs]

    def run(self, names: Sequence[str], fed: Mapping[str, NDArray[Any]]) -> list[NDArray[np.float32]]:
        """Run the network once."""
        found = self._model(dict(fed))
        return [np.asarray(found[name]) for name in names]


def _port(port: Any) -> Port:
    axes = [axis.to_string() if axis.is_dynamic else axis.get_length() for axis in port.get_partial_shape()]
    kind = port.get_element_type().get_type_name()
    return Port(port.get_any_name(), axes, _TYPES.get(kind, kind))
