"""What a user names to import, as files of vectors and exports of archives."""

from __future__ import annotations

import re
from pathlib import Path

from sememe.archive import interchange
from sememe.batch import arrow
from sememe.batch.importing.rows import Vectors
from sememe.errors import InputError, UsageError

_NUMPY = b"\x93NUMPY"
_PARQUET = b"PAR1"


def find_vectors(
    inputs: list[str], *, vectors: str | None, named_by: str | None, names: str | None
) -> tuple[list[Vectors], dict[str, InputError]]:
    """Find the files of vectors that inputs name.

    Parameters
    ----------
    inputs : list of str
        `.npy` files, Parquet files, folders of clip-retrieval (`img_emb/`, `metadata/`), folders of Parquet.
    vectors, named_by : str, optional
        Columns of Parquet that hold the vectors, and the names of the images.
    names : str, optional
        Text file with the names of the rows of one `.npy`.

    Returns
    -------
    found : list of Vectors
    failed : dict
        What cannot be read, by its name.

    Raises
    ------
    UsageError
        Options and inputs do not go together.
    """
    found: list[Vectors] = []
    failed: dict[str, InputError] = {}
    for name in inputs:
        try:
            found += _find(Path(name), vectors, named_by)
        except InputError as exc:
            failed[name] = exc
    if names is not None:
        if len(found) != 1 or found[0].column is not None:
            raise UsageError("a list of names goes with one .npy file")
        found = [Vectors(found[0].path, names=Path(names))]
    return found, failed


def is_export(path: str | Path) -> bool:
    """Whether a file is the Parquet of an archive; False for whatever cannot be read.

    Raises
    ------
    MissingExtraError
        It is Parquet, and pyarrow is not installed.
    """
    if _head(Path(path)) != _PARQUET:
        return False
    try:
        with arrow.open_parquet(Path(path)) as file:
            return interchange.FINGERPRINT in arrow.metadata_of(file) and "code" in file.schema_arrow.names
    except InputError:
        return False  # whoever reads it next says why


def _find(path: Path, vectors: str | None, named_by: str | None) -> list[Vectors]:
    if path.is_dir():
        return (
            _clip_retrieval(path, named_by)
            if (path / "img_emb").is_dir()
            else _folder(path, vectors, named_by)
        )
    head = _head(path)
    if head == _NUMPY[:4]:
        return [Vectors(path)]
    if head == _PARQUET:
        if vectors is None:
            raise UsageError(f"{path}: name the column that holds the vectors with --vectors")
        return [Vectors(path, column=vectors, named_by=named_by)]
    raise InputError(f"{path}: neither .npy nor Parquet nor a folder of them, or it cannot be read")


def _folder(path: Path, vectors: str | None, named_by: str | None) -> list[Vectors]:
    """Parquet files of a folder, as Spark and others write them."""
    files = sorted(path.glob("*.parquet"))
    if not files:
        raise InputError(f"{path}: holds neither img_emb/ nor *.parquet")
    return [one for file in files for one in _find(file, vectors, named_by)]


def _clip_retrieval(folder: Path, named_by: str | None) -> list[Vectors]:
    """Shards of clip-retrieval: `img_emb/img_emb_3.npy` goes with `metadata/metadata_3.parquet`."""
    metadata = {_number(path): path for path in (folder / "metadata").glob("*.parquet")}
    shards = sorted((folder / "img_emb").glob("*.npy"), key=lambda path: (len(_number(path)), _number(path)))
    if not shards:
        raise InputError(f"{folder}: img_emb/ holds no .npy")
    return [Vectors(path, named_by=named_by, metadata=metadata.get(_number(path))) for path in shards]


def _number(path: Path) -> str:
    """Digits at the end of a shard's name, as they are written."""
    found = re.search(r"(\d*)$", path.stem)
    return found[1] if found else ""


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(4)
    except OSError:
        return b""
