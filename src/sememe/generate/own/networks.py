"""The two networks of `draw`, read from the package and checked before they are believed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from sememe.errors import ModelUnavailableError

if TYPE_CHECKING:
    import onnxruntime

__all__ = ["Networks"]

Floats = NDArray[np.float32]


class Networks:
    """What draws: a flow from noise to tokens, and a decoder from tokens to pixels.

    Parameters
    ----------
    folder : Path, optional
        Where the weights are; the package's own by default.
    threads : int
        Threads inside one call.

    Raises
    ------
    ModelUnavailableError
        The weights are missing or damaged.
    """

    def __init__(self, folder: Path | None = None, *, threads: int = 1) -> None:
        self._folder = folder or Path(str(files("sememe") / "data" / "draw"))
        self._threads = threads
        try:
            self.card: Mapping[str, Any] = json.loads(self._read("draw.json"))
        except ValueError as exc:
            raise ModelUnavailableError(
                f"{self._folder / 'draw.json'}: damaged; install sememe again"
            ) from exc

    def velocity(self, tokens: Floats, t: float, told: Mapping[str, Floats]) -> Floats:
        """Say which way disturbed tokens (n, 16, 64) move at time `t`, from 0, noise, to 1.

        `told` holds what steers: ``vector`` (n, 256) and ``colours`` (n, 22), and in ``vector_told`` and
        ``colours_told`` (n, 1) a 1 for the rows that may know of it, else a 0.
        """
        times = np.full(len(tokens), t, np.float32)
        return cast("Floats", self._flow.run(None, {"tokens": tokens, "t": times, **told})[0])

    def pixels(self, tokens: Floats) -> Floats:
        """Decode tokens (n, 16, 64) to pixels (n, 3, 64, 64), about -1..1."""
        return cast("Floats", self._decoder.run(None, {"tokens": tokens})[0])

    @cached_property
    def _flow(self) -> onnxruntime.InferenceSession:
        return self._session("flow.onnx")

    @cached_property
    def _decoder(self) -> onnxruntime.InferenceSession:
        return self._session("decoder.onnx")

    def _session(self, name: str) -> onnxruntime.InferenceSession:
        import onnxruntime

        model = self._read(name)
        if hashlib.sha256(model).hexdigest() != self.card["sha256"][name]:
            raise ModelUnavailableError(f"{self._folder / name}: damaged weights; install sememe again")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def _read(self, name: str) -> bytes:
        path = self._folder / name
        try:
            return path.read_bytes()
        except OSError as exc:
            raise ModelUnavailableError(
                f"{path}: weights are missing ({exc.strerror}); install sememe again"
            ) from exc
