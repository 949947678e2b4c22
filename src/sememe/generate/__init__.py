"""Pictures from vectors: a stand-in that could have given the code, never the original.

::

    load("draw")            ours, shipped in the package, for codes of nano
    load("unclip-l")        published weights, where they have been pulled
    load("models/mine")     the folder of a diffusers pipeline

A generated picture looks as sharp as a photograph and is evidence of nothing: all that is true in it fits
into the bytes that it was drawn from. So each one is marked (`Mark`).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sememe.errors import ModelUnavailableError, UsageError
from sememe.generate.catalogue import BUILT_IN, KNOWN, Known, default_for, fitting, space_of
from sememe.generate.checks import check_call, check_space
from sememe.generate.marking import FORMATS, Mark, format_of, read_marks, save
from sememe.generate.protocol import Generator, Progress
from sememe.generate.sheet import captioned, contact_sheet

if TYPE_CHECKING:
    from sememe.generate.diffusers.pipeline import Settings

__all__ = [
    "BUILT_IN",
    "FORMATS",
    "KNOWN",
    "Generator",
    "Mark",
    "Progress",
    "captioned",
    "check_call",
    "check_space",
    "contact_sheet",
    "default_for",
    "fitting",
    "format_of",
    "load",
    "read_marks",
    "save",
    "space_of",
]


def load(
    name: str | Path,
    *,
    space_id: str | None = None,
    adapter: str | Path | None = None,
    prior: str | Path | None = None,
    device: str | None = None,
    slicing: bool = False,
    norm: float | None = None,
) -> Generator:
    """Load a generator by its id or from a folder.

    Parameters
    ----------
    name : str or Path
        A key of `BUILT_IN` or `KNOWN`, or a folder with a ``model_index.json`` (``./draw`` is a folder).
    space_id : str, optional
        Space of a folder's vectors, where their length does not tell.
    adapter : str or Path, optional
        File of an IP-Adapter (.safetensors), for a folder of Stable Diffusion.
    prior : str or Path, optional
        Folder of Kandinsky's prior, for a folder of Kandinsky.
    device : str, optional
        Name of a torch device; the GPU if there is one, else the CPU.
    slicing : bool
        Attention in slices: less memory, slower.
    norm : float, optional
        Length of the vectors that it was trained on, where its folder does not say.

    Returns
    -------
    Generator

    Raises
    ------
    UsageError
        No generator has that id, and there is no folder of that name; or it needs a part that is not named,
        or takes none of those that are.
    ModelUnavailableError
        Its weights are not on this machine; the message names the command that fetches them.
    ModelFormatError
        Its weights are damaged.
    MissingExtraError
        torch, transformers or diffusers is not installed.
    """
    from sememe.generate.diffusers.pipeline import Settings

    named = str(name) in BUILT_IN or str(name) in KNOWN
    if named and (space_id or adapter or prior):
        raise UsageError(f"generator {name} is complete: a space, adapter or prior goes with a folder only")
    if str(name) in BUILT_IN:
        from sememe.generate.own import DrawGenerator

        return DrawGenerator()
    if named:
        return _pulled(KNOWN[str(name)], Settings(str(name), None, device, slicing, norm))
    if Path(name).is_dir():
        from sememe.generate import diffusers

        settings = Settings(Path(name).resolve().name, space_id, device, slicing, norm)
        return diffusers.load(Path(name), settings, adapter=_file(adapter), prior=_folder(prior))
    known = ", ".join((*BUILT_IN, *KNOWN))
    raise UsageError(f"{name}: no such folder, and no generator of that name; known are {known}")


def _pulled(known: Known, settings: Settings) -> Generator:
    from sememe import hub
    from sememe.generate import diffusers

    def here(source: hub.Source) -> Path:
        return hub.locate(replace(source, name=settings.generator_id))

    folder = here(known.source)
    adapter = here(known.adapter) / known.adapter.files[0] if known.adapter else None
    prior = here(known.prior) if known.prior else None
    settings = replace(settings, space_id=known.space_id)
    return diffusers.load(folder, settings, adapter=adapter, prior=prior)


def _file(path: str | Path | None) -> Path | None:
    if path is not None and not Path(path).is_file():
        raise ModelUnavailableError(f"{path}: no such file; name the .safetensors file of an IP-Adapter")
    return None if path is None else Path(path)


def _folder(path: str | Path | None) -> Path | None:
    if path is not None and not Path(path).is_dir():
        raise ModelUnavailableError(f"{path}: no such folder; name that of Kandinsky's prior")
    return None if path is None else Path(path)
