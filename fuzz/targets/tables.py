"""Vectors and tables that other programs wrote: `.npy`, Parquet, lists, tar files, boxes, reports."""

from __future__ import annotations

import io
import json
import tarfile
from functools import cache
from pathlib import Path

import numpy as np

from fuzz import mutate
from fuzz.targets.archives import whole
from fuzz.targets.codes import profiles
from fuzz.targets.target import Target
from sememe import Codec
from sememe.api.vectors import encode_npy, read_npy
from sememe.batch.importing import find_vectors, import_exports, import_vectors
from sememe.batch.inputs import expand
from sememe.evaluate.report import SCHEMA, Report
from sememe.index.query import parse_query
from sememe.regions.proposals import read_boxes
from sememe.zeroshot.labels import read_labels


def _codec() -> Codec:
    return Codec(profiles()[0], nbytes=8)


def npy(array: np.ndarray) -> bytes:
    """Write an array as the bytes of a `.npy` file."""
    made = io.BytesIO()
    np.save(made, array)
    return made.getvalue()


def _npy_seeds() -> list[bytes]:
    x = np.random.default_rng(0).standard_normal((20, 32))
    return [npy(x.astype(kind)) for kind in ("<f4", ">f8", "<f2")]


def _npy(data: bytes, folder: Path) -> None:
    path = _put(folder, "x.npy", data)
    read_npy(path)
    encode_npy(path, folder / "codes.npy", _codec())


def _import_npy(data: bytes, folder: Path) -> None:
    found, _ = find_vectors([str(_put(folder, "x.npy", data))], vectors=None, named_by=None, names=None)
    _imported(found, folder)


def _imported(found: list, folder: Path) -> None:
    target = folder / "imported.sems"
    target.unlink(missing_ok=True)
    import_vectors(found, target, _codec(), progress=False)


@cache
def _parquet_seeds() -> list[bytes]:
    import pyarrow as pa
    from pyarrow import parquet

    x = np.random.default_rng(0).standard_normal((20, 32)).astype(np.float32).tolist()
    made = []
    for kind in (pa.list_(pa.float32(), 32), pa.list_(pa.float64())):
        table = pa.table({"vector": pa.array(x, kind), "path": [f"{i}.jpg" for i in range(20)]})
        file = io.BytesIO()
        parquet.write_table(table, file)
        made.append(file.getvalue())
    return made


def _parquet(data: bytes, folder: Path) -> None:
    path = str(_put(folder, "x.parquet", data))
    found, _ = find_vectors([path], vectors="vector", named_by="path", names=None)
    _imported(found, folder)


@cache
def _export_seeds() -> list[bytes]:
    import tempfile

    from sememe.api.parquet import write_parquet
    from sememe.archive import Archive

    with tempfile.TemporaryDirectory() as folder:
        path = _put(Path(folder), "whole.sems", whole())
        with Archive.open(path) as archive:
            write_parquet(archive, Path(folder) / "out.parquet", vectors=False)
        return [(Path(folder) / "out.parquet").read_bytes()]


def _export(data: bytes, folder: Path) -> None:
    target = folder / "again.sems"
    target.unlink(missing_ok=True)
    import_exports([_put(folder, "x.parquet", data)], target, progress=False)


def _tar_seeds() -> list[bytes]:
    from PIL import Image

    made, picture = io.BytesIO(), io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(picture, "PNG")
    with tarfile.open(fileobj=made, mode="w") as file:
        for name in ("0.png", "a/1.png", "2.txt"):
            member = tarfile.TarInfo(name)
            member.size = len(picture.getvalue())
            file.addfile(member, io.BytesIO(picture.getvalue()))
    return [made.getvalue()]


def _tar(data: bytes, folder: Path) -> None:
    from sememe.batch.containers import pictures_in

    for held in pictures_in(str(_put(folder, "x.tar", data)), lambda *_: False):
        assert not held.path.startswith("/") or held.path.startswith(str(folder))


def _labels(data: bytes, folder: Path) -> None:
    read_labels(f"@{_put(folder, 'labels.txt', data)}")
    read_labels(data.decode("utf-8", "replace"))


def _list(data: bytes, folder: Path) -> None:
    """Names that a list holds are looked up on the disk, below an empty folder."""
    below = b"\n".join(bytes(folder) + b"/none/" + line for line in data.splitlines())
    expand(f"@{_put(folder, 'list.txt', below)}")


def _query(data: bytes, _: Path) -> None:
    parse_query(data.decode("utf-8", "surrogateescape"))


def _boxes_json(data: bytes, folder: Path) -> None:
    read_boxes(_put(folder, "boxes.json", data), 64, 48)


def _boxes_npy(data: bytes, folder: Path) -> None:
    read_boxes(_put(folder, "boxes.npy", data), 64, 48)


def _box_seeds() -> list[bytes]:
    masks = np.zeros((2, 48, 64), np.bool_)
    masks[:, 3:9, 5:20] = True
    return [npy(np.array([[1, 2, 30, 40], [0.5, 0, 9, 9]])), npy(masks)]


def _report(data: bytes, folder: Path) -> None:
    Report.read(_put(folder, "report.json", data)).named(None)


def _report_seeds() -> list[bytes]:
    figures = {"all": {"bytes_mean": 8.0}, "mean": {}, "sets": {"a": {"bytes_mean": 8.0}}}
    row = {
        "coder": "sememe",
        "rate": 8,
        "seed": 0,
        "error": None,
        "figures": figures,
        "speed": {"encode_per_s": 9},
    }
    section = {
        **dict.fromkeys(("name", "digest", "counts", "dim", "seeds", "needed"), "x"),
        "sets": ["a"],
        "rows": [row],
        "uncompressed": figures,
    }
    return [json.dumps({"schema": SCHEMA, "machine": {}, "trials": [section]}).encode()]


def _put(folder: Path, name: str, data: bytes) -> Path:
    (folder / name).write_bytes(data)
    return folder / name


_BOXES = json.dumps([[1, 2, 30, 40], {"bbox": [5, 5, 9.5, 9]}]).encode()

TARGETS = (
    Target("npy", _npy, _npy_seeds, runs=60),
    Target("import-npy", _import_npy, _npy_seeds, runs=20),
    Target("import-parquet", _parquet, _parquet_seeds, runs=15, needs=("pyarrow",)),
    Target("import-export", _export, _export_seeds, runs=40, needs=("pyarrow",)),
    Target("tar", _tar, _tar_seeds, runs=100),
    Target("labels", _labels, lambda: [b"cat\ndog\n# no\n\n", "ä, ö\n".encode()]),
    Target("input-list", _list, lambda: [b"a.jpg\nb/*.png\n# no\n@other\n"]),
    Target("query", _query, lambda: [b"horse + 2:stripes - ./pool.jpg", b"a"], runs=500),
    Target("boxes-json", _boxes_json, lambda: [_BOXES], mutate.of_json),
    Target("boxes-npy", _boxes_npy, _box_seeds),
    Target("report", _report, _report_seeds, mutate.of_json),
)
