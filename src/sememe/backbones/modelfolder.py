"""The folder of a model: its files and the JSON in them, or an error that says what is missing where."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sememe.errors import ModelFormatError, ModelUnavailableError

_MAX_JSON = 64 << 20


class Fields(Mapping[str, Any]):
    """A JSON object that knows its file, so that a missing key can be named."""

    def __init__(self, values: Mapping[str, Any], source: str) -> None:
        self._values = values
        self.source = source

    def __getitem__(self, key: str) -> Any:
        if key not in self._values:
            raise ModelFormatError(
                f"{self.source}: has no {key!r}, and it is not guessed; add it as the model was trained, "
                "or take the original model's file"
            )
        return self._values[key]

    def __contains__(self, key: object) -> bool:
        return key in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: str, default: Any = None) -> Any:
        """Return a value that may be absent."""
        return self._values.get(key, default)

    def section(self, key: str) -> Fields:
        """Return an object inside this one, empty if there is none."""
        return Fields(
            _as_object(self._values.get(key) or {}, f"{self.source}: {key}"), f"{self.source}: {key}"
        )

    def wrong(self, key: str, meaning: str) -> ModelFormatError:
        """The error for a value that cannot be what it says."""
        return ModelFormatError(f"{self.source}: {key} is {self._values.get(key)!r}, not {meaning}")


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A folder with the files of one model."""

    path: Path

    @classmethod
    def open(cls, path: str | Path) -> ModelFolder:
        """Take a folder that exists.

        Raises
        ------
        ModelUnavailableError
            There is none.
        """
        folder = Path(path).expanduser()
        if not folder.is_dir():
            raise ModelUnavailableError(f"{path}: no such folder; name the one that holds the model's files")
        return cls(folder)

    def find(self, *names: str) -> Path | None:
        """Return the first of some files that is here."""
        return next((self.path / name for name in names if (self.path / name).is_file()), None)

    def file(self, *names: str) -> Path:
        """Return the first of some files that is here.

        Raises
        ------
        ModelUnavailableError
            None is.
        """
        found = self.find(*names)
        if found is None:
            raise ModelUnavailableError(
                f"{self.path}: lacks {' or '.join(names)}; copy or pull all files of the model"
            )
        return found

    def json(self, *names: str) -> Fields:
        """Read the first of some JSON files that is here.

        Raises
        ------
        ModelUnavailableError
            None is.
        ModelFormatError
            It is damaged, or no JSON object.
        """
        return read_json(self.file(*names))

    def json_or_empty(self, *names: str) -> Fields:
        """Read the first of some JSON files that is here; no fields if none is."""
        found = self.find(*names)
        return Fields({}, " or ".join(names)) if found is None else read_json(found)


def read_json(path: Path) -> Fields:
    """Read a JSON object.

    Raises
    ------
    ModelFormatError
        It is damaged, too large to be one, or no JSON object.
    ModelUnavailableError
        It cannot be read.
    """
    try:
        if path.stat().st_size > _MAX_JSON:
            raise ModelFormatError(f"{path}: larger than any configuration; copy or pull the model again")
        values = json.loads(path.read_text("utf-8"))
    except OSError as exc:
        raise ModelUnavailableError(f"{path}: cannot be read ({exc.strerror}); pull the model again") from exc
    except (ValueError, RecursionError) as exc:
        raise ModelFormatError(f"{path}: no JSON, or damaged; copy or pull the model again") from exc
    return Fields(_as_object(values, str(path)), str(path))


def content_id(*paths: Path) -> str:
    """Name contents that have no other name: ``sha256:`` and 16 hex digits over the files' hashes."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return f"sha256:{digest.hexdigest()[:16]}"


def reason(error: Exception) -> str:
    """Put what a library says of a failure on one line."""
    return " ".join(str(error).split())[:160] or type(error).__name__


def _as_object(value: object, source: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ModelFormatError(f"{source}: holds a {type(value).__name__}, not an object of named values")
    return value
