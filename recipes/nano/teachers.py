"""Run the MobileNet teacher once over every view of every picture; keep what it says, inside and at its end.

Each view becomes arrays in the cache: ``view{v}.pixels.npy`` (n, 112, 112, 3) uint8, the teacher's logits
(n, 1001) and pooled features (n, 1280) as float16, and two of its inner maps, ``m14`` (n, 14, 14, 96) and
``m7`` (n, 7, 7, 320), as the int8 steps that it computes with. A map says at 196 and 49 places what a label
says once. What is there is not made again.
"""

from __future__ import annotations

import time
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from . import data

TEACHER = "tf2_mobilenet_v2_1.0_224_ptq.tflite"
OUTPUTS = ("m14", "m7", "pool", "logits")
MAPS = {(1, 14, 14, 96): "m14", (1, 7, 7, 320): "m7"}


def _with_inner_outputs(path: Path) -> bytes:
    """Rewrite a classifier so that what `OUTPUTS` names becomes its outputs."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(path.read_bytes(), 0))
    graph = model.subgraphs[0]
    found: dict[str, int] = {}
    for op in graph.operators:
        kind = model.operatorCodes[op.opcodeIndex]
        builtin = max(kind.builtinCode, kind.deprecatedBuiltinCode)
        shape = tuple(graph.tensors[op.outputs[0]].shape)
        if shape in MAPS:  # the last block of a stage wins
            found[MAPS[shape]] = op.outputs[0]
        elif builtin in (schema.BuiltinOperator.MEAN, schema.BuiltinOperator.AVERAGE_POOL_2D):
            found["pool"] = op.outputs[0]
        elif builtin == schema.BuiltinOperator.SOFTMAX:
            found["logits"] = op.inputs[0]
    graph.outputs = np.array([found[name] for name in OUTPUTS], np.int32)
    model.signatureDefs = None
    builder = flatbuffers.Builder(1 << 23)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


class Teacher:
    """The quantised MobileNet on one thread."""

    def __init__(self, folder: Path) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._run = Interpreter(model_content=_with_inner_outputs(folder / TEACHER), num_threads=1)
        self._run.allocate_tensors()
        self._input = self._run.get_input_details()[0]["index"]
        details = self._run.get_output_details()
        self._outputs = {name: d["index"] for name, d in zip(OUTPUTS, details, strict=True)}
        self._scales = {name: d["quantization"] for name, d in zip(OUTPUTS, details, strict=True)}

    def __call__(self, pixels: np.ndarray) -> dict[str, np.ndarray]:
        """Return what it computes for one uint8 (224, 224, 3) picture: maps as int8, the rest as float16."""
        self._run.set_tensor(self._input, pixels[None])
        self._run.invoke()
        values = {name: self._run.get_tensor(index)[0] for name, index in self._outputs.items()}
        for name in ("pool", "logits"):
            step, zero = self._scales[name]
            values[name] = ((values[name].astype(np.float32).ravel() - zero) * step).astype(np.float16)
        return values


def _one_shard(task: tuple[Path, Path, Path, int, int]) -> dict[str, Path]:
    """Cut one view of one shard and run the teacher on it."""
    images, folder, cache, view, shard = task
    targets = {name: cache / f"part-view{view}-{shard}.{name}.npy" for name in ("pixels", *OUTPUTS)}
    if all(path.exists() for path in targets.values()):
        return targets
    teacher = Teacher(folder)
    out: dict[str, list[np.ndarray]] = {name: [] for name in targets}
    for small, large in data.cut_shard(images, shard, view):
        for name, value in {"pixels": small, **teacher(large)}.items():
            out[name].append(value)
    for name, path in targets.items():
        with path.with_suffix(".tmp").open("wb") as file:
            np.save(file, np.stack(out[name]))
        path.with_suffix(".tmp").rename(path)
    return targets


def make_view(images: Path, folder: Path, cache: Path, view: int, *, workers: int = 2) -> None:
    """Make one view of the whole collection, resuming what an earlier run left."""
    if (cache / f"view{view}.pixels.npy").exists():
        return
    cache.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    count = len(data.shards(images))
    tasks = [(images, folder, cache, view, s) for s in range(count)]
    parts: list[dict[str, Path]] = []
    with get_context("spawn").Pool(workers) as pool:
        for i, part in enumerate(pool.imap(_one_shard, tasks)):
            parts.append(part)
            print(f"view {view}: shard {i + 1}/{count}, {time.monotonic() - start:.0f} s", flush=True)
    for name in (*OUTPUTS, "pixels"):  # pixels last: they say that the view is whole
        np.save(cache / f"view{view}.{name}.npy", np.concatenate([np.load(p[name]) for p in parts]))
        for part in parts:
            part[name].unlink()


def main() -> None:
    """Make the views named on the command line."""
    import argparse

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=Path, default=Path("../shared/data/images"))
    parser.add_argument("--teachers", type=Path, default=Path("../shared/data/teachers"))
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--views", type=int, nargs="+", default=list(data.VIEWS))
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    for view in args.views:
        make_view(args.images, args.teachers, args.cache, view, workers=args.workers)


if __name__ == "__main__":
    main()
