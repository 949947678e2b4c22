"""The demo's photographs: a dozen that scikit-image and scikit-learn carry in their packages."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

from sememe.errors import MissingExtraError, StorageError

PHOTOS = {
    "astronaut": ("skimage", "data/astronaut.png"),
    "bricks": ("skimage", "data/brick.png"),
    "cat": ("skimage", "data/chelsea.png"),
    "coffee": ("skimage", "data/coffee.png"),
    "coins": ("skimage", "data/coins.png"),
    "flower": ("sklearn", "datasets/images/flower.jpg"),
    "grass": ("skimage", "data/grass.png"),
    "moon": ("skimage", "data/moon.png"),
    "motorcycle": ("skimage", "data/motorcycle_left.png"),
    "photographer": ("skimage", "data/camera.png"),
    "rocket": ("skimage", "data/rocket.jpg"),
    "temple": ("sklearn", "datasets/images/china.jpg"),
}
"""Name of a photograph → the package that carries it, and where in it."""

WORDS = tuple(
    word
    for line in """
    person, cat, dog, horse, bird, fish, flower, tree, grass, mountain, beach
    building, street, temple, brick wall, car, motorcycle, airplane, rocket, boat
    cup of coffee, food, coins, moon, page of text, camera
    """.strip().splitlines()
    for word in line.strip().split(", ")
)
"""Labels to choose from: what the photographs show, and as many again that they do not."""


def copy_photos(folder: Path) -> dict[str, Path]:
    """Copy the photographs into a folder and return name → path.

    Raises
    ------
    MissingExtraError
        scikit-image or scikit-learn is not installed.
    StorageError
        The folder cannot be written.
    """
    sources = {name: _package(package) / inside for name, (package, inside) in PHOTOS.items()}
    copies = {name: folder / f"{name}{source.suffix}" for name, source in sources.items()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, source in sources.items():
            shutil.copyfile(source, copies[name])
    except OSError as error:
        raise StorageError(f"{folder}: {error.strerror or error}; choose another with --folder") from error
    return copies


def _package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise MissingExtraError("the demo's photographs come with an extra: pip install 'sememe[demo]'")
    return Path(spec.origin).parent
