"""What the three adapters share: one picture at a time, each from a generator seeded for it alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sememe.errors import ModelUnavailableError, UsageError
from sememe.generate.checks import check_call
from sememe.generate.diffusers.loading import device_named, libraries, loading, quiet, weights_options

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    from sememe.generate.protocol import Progress
    from sememe.types import Embeddings

__all__ = ["PipelineGenerator", "Settings", "Step", "on_step_end"]

Step = Callable[[int], None]
"""Called with the number of denoising steps done of one picture."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How to run a pipeline."""

    generator_id: str
    space_id: str | None = None
    """Space of its vectors, where neither the folder nor their length says so."""
    device: str | None = None
    """Name of a torch device; the GPU if there is one, else the CPU."""
    slicing: bool = False
    """Compute attention in slices: less memory, slower."""
    norm: float | None = None
    """Length of the vectors that the pipeline was trained on, where the folder does not say."""


class PipelineGenerator(ABC):
    """A diffusers pipeline that draws from image vectors (`protocol.Generator`).

    Runs in float32 on a CPU and float16 on a GPU. Random numbers are always drawn on the CPU: the same seed
    is the same picture on one machine, and nearly the same on another.
    """

    takes_colours = False
    default_steps: int
    guidance: float
    """Weight of classifier-free guidance (Ho & Salimans 2022), as the authors of the pipeline set it."""
    spaces: Mapping[int, str]
    """Space by the length of its vectors, for published weights."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._torch, self._diffusers = libraries()
        self._device = device_named(self._torch, settings.device)
        self._settings = settings
        self.generator_id = settings.generator_id
        options = weights_options(self._torch, folder, self._device)
        self._dtype = options["torch_dtype"]
        with loading(folder):
            self._pipe = self._open(folder, options).to(self._device)
            self._pipe.set_progress_bar_config(disable=True)
            if settings.slicing:
                self._pipe.enable_attention_slicing()
            self.dim = self._read_dim()
        self.space_id = settings.space_id or self._known_space(folder)

    @abstractmethod
    def _open(self, folder: Path, options: dict[str, Any]) -> Any:
        """Read the pipeline from its folder."""

    @abstractmethod
    def _read_dim(self) -> int:
        """Length of the vectors that the loaded pipeline takes."""

    @abstractmethod
    def _draw(
        self, vector: NDArray[np.float32], random: Any, steps: int, fidelity: float | None, step: Step
    ) -> Any:
        """Run the pipeline on a unit vector (d,); return its output."""

    def generate(
        self,
        x: Embeddings,
        *,
        seed: int = 0,
        steps: int | None = None,
        fidelity: float | None = None,
        colours: bytes | None = None,
        progress: Progress | None = None,
    ) -> list[Image]:
        """Draw one picture for each of (n, d) unit rows, as `protocol.Generator.generate` says."""
        check_call(x, self.dim, seed=seed, steps=steps, fidelity=fidelity)
        if colours is not None:
            raise UsageError(f"{self.generator_id} takes no colour layout: it draws from the vector alone")
        length = steps or self.default_steps
        total = length * len(x)
        pictures = []
        for row, vector in enumerate(x):

            def step(done: int, before: int = row * length) -> None:
                if progress is not None:
                    progress(before + min(done, length), total)

            random = self._torch.Generator("cpu").manual_seed(seed + row)
            pictures.append(self._run(vector, random, length, fidelity, step))
            step(length)
        return pictures

    def _run(
        self, vector: NDArray[np.float32], random: Any, steps: int, fidelity: float | None, step: Step
    ) -> Image:
        try:
            with quiet():
                picture: Image = self._draw(vector, random, steps, fidelity, step).images[0]
        except self._torch.OutOfMemoryError as exc:
            raise ModelUnavailableError(
                f"{self.generator_id}: {self._device} has too little memory; try --slicing or --device cpu"
            ) from exc
        return picture.convert("RGB")

    def _tensor(self, vector: NDArray[np.floating]) -> Any:
        """Give (1, d) on the pipeline's device, in its precision."""
        return self._torch.as_tensor(vector[None]).to(self._device, self._dtype)

    def _known_space(self, folder: Path) -> str:
        found = self.spaces.get(self.dim)
        if found is None:
            raise UsageError(
                f"{folder}: draws from vectors of {self.dim} dimensions and does not say of which space; "
                "name it with --space"
            )
        return found


def on_step_end(step: Step) -> Callable[[Any, int, Any, dict[str, Any]], dict[str, Any]]:
    """Make the callback that newer pipelines take."""

    def ended(_pipe: Any, done: int, _time: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        step(done + 1)
        return tensors

    return ended
