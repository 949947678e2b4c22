"""What a model's own files say of preprocessing: Hugging Face's way, or open_clip's."""

from __future__ import annotations

from typing import Any

from sememe.backbones.modelfolder import Fields, ModelFolder
from sememe.backbones.preprocessing import FILTERS, SCALE, Preprocessing
from sememe.errors import ModelFormatError

HUGGING_FACE = ("preprocessor_config.json", "onnx/preprocessor_config.json")
OPEN_CLIP = ("open_clip_config.json",)
IMMICH = ("visual/preprocess_cfg.json", "preprocess_cfg.json")

_LONGEST = 4096  # pixels of an edge that any network takes
_LARGEST = 1e6  # of a mean or a deviation; NaN is not smaller


def read_preprocessing(folder: ModelFolder, name: str | None = None) -> Preprocessing:
    """Read how a model wants its pictures.

    Parameters
    ----------
    folder : ModelFolder
    name : str, optional
        The file that says it, where a repository holds several models.

    Raises
    ------
    ModelUnavailableError
        There is no such file.
    ModelFormatError
        It is damaged, lacks a key, or asks for what is not done here.
    """
    if name:
        return from_hugging_face(folder.json(name))
    if folder.find(*HUGGING_FACE):
        return from_hugging_face(folder.json(*HUGGING_FACE))
    if folder.find(*IMMICH):
        return from_open_clip(folder.json(*IMMICH))
    config = folder.json(*HUGGING_FACE, *OPEN_CLIP)
    size = config.section("model_cfg").section("vision_cfg")["image_size"]
    said = config.section("preprocess_cfg")
    return from_open_clip(Fields({"size": size, **said}, said.source))


def from_open_clip(said: Fields) -> Preprocessing:
    """Read open_clip's ``preprocess_cfg``."""
    height, width = _pair(said, "size")
    mode = said["resize_mode"]
    square_crop = mode == "shortest" and height == width
    if mode != "squash" and not square_crop:
        raise said.wrong("resize_mode", "squash, or shortest with a square size")
    if said.get("mode", "RGB") != "RGB":
        raise said.wrong("mode", "RGB")
    if said["interpolation"] not in ("bicubic", "bilinear"):
        raise said.wrong("interpolation", "bicubic or bilinear")
    return Preprocessing(
        height,
        width,
        height if square_crop else None,
        said["interpolation"],
        _channels(said, "mean"),
        _channels(said, "std"),
    )


def from_hugging_face(said: Fields) -> Preprocessing:
    """Read a `preprocessor_config.json` of CLIP's or SigLIP's kind, old spellings included."""
    if "max_num_patches" in said:
        raise ModelFormatError(f"{said.source}: pictures as patches of any number are not supported")
    if not said["do_resize"]:
        raise said.wrong("do_resize", "true: the network takes one size")
    normal = said["do_normalize"]
    height, width, shortest = _sizes(said)
    return Preprocessing(
        height,
        width,
        shortest,
        _filter(said),
        _channels(said, "image_mean") if normal else (0.0, 0.0, 0.0),
        _channels(said, "image_std") if normal else (1.0, 1.0, 1.0),
        _scale(said),
    )


def _sizes(said: Fields) -> tuple[int, int, int | None]:
    """Height, width and what the shortest edge becomes; None where the picture is squashed."""
    size = said["size"]
    shortest = size.get("shortest_edge") if isinstance(size, dict) else size
    squashes = isinstance(size, dict) and "shortest_edge" not in size
    if squashes:
        if said.get("do_center_crop"):
            raise said.wrong("size", "a shortest_edge, though do_center_crop is set")
        return *_pair(said, "size"), None
    if not said["do_center_crop"]:
        raise said.wrong("do_center_crop", "true: the network takes one size")
    height, width = _pair(said, "crop_size")
    if not isinstance(shortest, int) or not max(height, width) <= shortest <= _LONGEST:
        raise said.wrong("size", f"an edge of {max(height, width)} to {_LONGEST} pixels")
    return height, width, shortest


def _scale(said: Fields) -> float:
    """Factor on bytes; files older than the two keys meant 1/255, as their class always did."""
    if "do_rescale" not in said and "rescale_factor" not in said:
        return SCALE
    if not said["do_rescale"]:
        return 1.0
    factor = said["rescale_factor"]
    if not isinstance(factor, float) or not 0 < factor <= 1:
        raise said.wrong("rescale_factor", "a factor such as 1/255")
    return SCALE if abs(factor / SCALE - 1) < 1e-6 else factor


def _filter(said: Fields) -> str:
    by_number = {number: name for name, number in FILTERS.items()}
    if not isinstance(said["resample"], int) or said["resample"] not in by_number:
        raise said.wrong("resample", f"one of Pillow's {sorted(by_number)}")
    return by_number[said["resample"]]


def _pair(said: Fields, key: str) -> tuple[int, int]:
    """Height and width, from one number, a list of two, or an object that names them."""
    value: Any = said[key]
    if isinstance(value, dict):
        value = [value.get("height"), value.get("width")]
    pair = (
        [value, value] if isinstance(value, int) else list(value) if isinstance(value, list | tuple) else []
    )
    if len(pair) != 2 or not all(isinstance(side, int) and 1 <= side <= _LONGEST for side in pair):
        raise said.wrong(key, "a height and a width in pixels")
    return pair[0], pair[1]


def _channels(said: Fields, key: str) -> tuple[float, ...]:
    values = said[key]
    is_list = isinstance(values, list | tuple) and len(values) == 3
    if not is_list or not all(isinstance(v, int | float) and abs(v) < _LARGEST for v in values):
        raise said.wrong(key, "three numbers, one a channel")
    if key.endswith("std") and not all(v > 0 for v in values):
        raise said.wrong(key, "three positive numbers")
    return tuple(float(v) for v in values)
