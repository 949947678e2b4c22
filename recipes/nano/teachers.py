"""Run the MobileNet teachers once over every view of every picture and keep what they say.

Each view becomes arrays in the cache: ``view{v}.pixels.npy`` (n, 112, 112, 3) uint8 and, for each teacher,
``view{v}.tf2.logits.npy`` (n, 1001) and ``view{v}.tf2.pool.npy`` (n, 1280) float16.
What is there is not made again.
"""

from __future__ import annotations

import time
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from . import data

NAMES = {
    "tf2": "tf2_mobilenet_v2_1.0_224_ptq.tflite",
    "v2": "mobilenet_v2_1.0_224_quant.tflite",
    "v1": "mobilenet_v1_1.0_224_quant_embedding_extractor.tflite",
}


def _with_inner_outputs(path: Path) -> bytes:
    """Rewrite a classifier so that its pooled features and its logits are outputs, in this order."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(path.read_bytes(), 0))
    graph = model.subgraphs[0]
    code = {schema.BuiltinOperator.SOFTMAX: None, schema.BuiltinOperator.RESHAPE: None}
    for op in graph.operators:
        kind = model.operatorCodes[op.opcodeIndex]
        builtin = max(kind.builtinCode, kind.deprecatedBuiltinCode)
        if builtin in (schema.BuiltinOperator.MEAN, schema.BuiltinOperator.AVERAGE_POOL_2D):
            pool = op.outputs[0]
        elif builtin in code:
            code[builtin] = op
    logits = code[schema.BuiltinOperator.SOFTMAX].inputs[0]
    graph.outputs = np.array([pool, logits], np.int32)
    model.signatureDefs = None
    builder = flatbuffers.Builder(1 << 23)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


class Teacher:
    """One quantised MobileNet on one thread."""

    def __init__(self, folder: Path, name: str) -> None:
        from ai_edge_litert.interpreter import Interpreter

        path = folder / NAMES[name]
        if name == "v1":
            self._run = Interpreter(model_path=str(path), num_threads=1)
        else:
            self._run = Interpreter(model_content=_with_inner_outputs(path), num_threads=1)
        self._run.allocate_tensors()
        self._input = self._run.get_input_details()[0]["index"]
        self._outputs = self._run.get_output_details()

    def __call__(self, pixels: np.ndarray) -> list[np.ndarray]:
        """Return the dequantised outputs for one uint8 (224, 224, 3) picture."""
        self._run.set_tensor(self._input, pixels[None])
        self._run.invoke()
        values = []
        for o in self._outputs:
            scale, zero = o["quantization"]
            values.append((self._run.get_tensor(o["index"]).astype(np.float32).ravel() - zero) * scale)
        return values


def _one_shard(task: tuple[Path, Path, Path, int, int, tuple[str, ...]]) -> Path:
    """Cut one view of one shard and run the teachers on it."""
    images, folder, cache, view, shard, names = task
    target = cache / f"part-view{view}-{shard}.npz"
    if target.exists():
        return target
    teachers = {n: Teacher(folder, n) for n in names}
    rng = np.random.default_rng([view, shard])
    out: dict[str, list[np.ndarray]] = {"pixels": []}
    for jpg in data.read_jpegs(data.shards(images)[shard]):
        small, large = data.cut(jpg, view, rng)
        out["pixels"].append(small)
        for n, teacher in teachers.items():
            for what, value in zip(("pool", "logits"), teacher(large), strict=False):
                out.setdefault(f"{n}.{what}", []).append(value.astype(np.float16))
    with target.with_suffix(".tmp").open("wb") as file:
        np.savez(file, **{k: np.stack(v) for k, v in out.items()})
    target.with_suffix(".tmp").rename(target)
    return target


def make_view(
    images: Path, folder: Path, cache: Path, view: int, *, names: tuple[str, ...], workers: int = 2
) -> None:
    """Make one view of the whole collection, resuming what an earlier run left."""
    if (cache / f"view{view}.pixels.npy").exists():
        return
    cache.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    count = len(data.shards(images))
    tasks = [(images, folder, cache, view, s, names) for s in range(count)]
    parts = []
    with get_context("spawn").Pool(workers) as pool:
        for i, part in enumerate(pool.imap(_one_shard, tasks)):
            parts.append(part)
            print(f"view {view}: shard {i + 1}/{count}, {time.monotonic() - start:.0f} s", flush=True)
    loaded = [np.load(p) for p in parts]
    for name in sorted(loaded[0].files, key=lambda n: n == "pixels"):
        np.save(cache / f"view{view}.{name}.npy", np.concatenate([p[name] for p in loaded]))
    for part in parts:
        part.unlink()


def main() -> None:
    """Make the views named on the command line."""
    import argparse

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=Path, default=Path("../shared/data/images"))
    parser.add_argument("--teachers", type=Path, default=Path("../shared/data/teachers"))
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--views", type=int, nargs="+", default=[0, 1, 2, 3])
    parser.add_argument("--names", nargs="+", default=["tf2"])
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    for view in args.views:
        make_view(args.images, args.teachers, args.cache, view, names=tuple(args.names), workers=args.workers)


if __name__ == "__main__":
    main()
