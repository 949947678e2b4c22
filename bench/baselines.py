"""FAISS residual and optimized product quantization on the splits of the benchmark.

RQ: 64 stages of 8 bits trained once per split, encoded with a beam of 16 for each length on its own, which
is a little better than cutting one long code. OPQ: trained for each length; on the main split only if asked,
for it takes long and RQ is the stronger of the two there. Both see the training vectors
less their mean; what they decode to gets the mean back and is scaled to unit length.

Training takes many minutes on one core, so decoded vectors are cached outside the repository.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import faiss
import numpy as np

import figures
import output
import split

RQ_BYTES = (4, 8, 16, 32, 64)
OPQ_BYTES = (8, 16, 32, 64)
STAGES = 64
TRAIN_BEAM = 2
ENCODE_BEAM = 16
CACHE = Path(tempfile.gettempdir()) / "sememe-bench"


def train_rq(x: split.Vectors) -> split.Vectors:
    """Train residual quantizers of 256 centroids on centred vectors: (64, 256, d) codebooks."""
    quantizer = faiss.ResidualQuantizer(x.shape[1], STAGES, 8)
    quantizer.max_beam_size = TRAIN_BEAM
    quantizer.train(x)
    codebooks: split.Vectors = faiss.vector_to_array(quantizer.codebooks).reshape(STAGES, 256, x.shape[1])
    return codebooks


def decode_rq(codebooks: split.Vectors, x: split.Vectors, nbytes: int) -> split.Vectors:
    """Encode centred vectors with the first `nbytes` stages and decode them again."""
    quantizer = faiss.ResidualQuantizer(x.shape[1], nbytes, 8)
    faiss.copy_array_to_vector(np.ascontiguousarray(codebooks[:nbytes]).reshape(-1), quantizer.codebooks)
    quantizer.is_trained = True
    quantizer.max_beam_size = ENCODE_BEAM
    decoded: split.Vectors = quantizer.decode(quantizer.compute_codes(x))
    return decoded


def decode_opq(fit: split.Vectors, x: split.Vectors, nbytes: int) -> split.Vectors:
    """Train OPQ of `nbytes` bytes on centred vectors; encode and decode others with it."""
    index = faiss.index_factory(fit.shape[1], f"OPQ{nbytes},PQ{nbytes}x8")
    index.train(fit)
    decoded: split.Vectors = index.sa_decode(index.sa_encode(x))
    return decoded


def decoded_baselines(
    parts: split.Split, cache: Path, opq_bytes: Iterable[int] = OPQ_BYTES
) -> dict[tuple[str, int], split.Vectors]:
    """Decode the test vectors with every baseline: ("rq" or "opq", bytes) to (n, d) unit rows."""
    mean = parts.mean
    fit, test = parts.fit.x - mean, parts.test.x - mean
    codebooks = _cached(cache / "rq-codebooks.npy", partial(train_rq, fit))
    result = {}
    for n in RQ_BYTES:
        result["rq", n] = _cached(cache / f"rq-{n}.npy", partial(decode_rq, codebooks, test, n))
    for n in opq_bytes:
        result["opq", n] = _cached(cache / f"opq-{n}.npy", partial(decode_opq, fit, test, n))
    return {key: split.unit_rows(vectors + mean) for key, vectors in result.items()}


def measure(parts: split.Split, args: argparse.Namespace, name: str) -> dict[str, Any]:
    """Judge every baseline on one split."""
    opq_bytes = OPQ_BYTES if name != "main" or args.main_opq else ()
    decoded = decoded_baselines(parts, args.cache / name, opq_bytes)
    whole = figures.Judge(parts, args.data)
    rows: dict[str, Any] = {
        "fit": len(parts.fit.x),
        "test": len(parts.test.x),
        "queries": len(parts.queries.x),
    }
    for (method, nbytes), vectors in decoded.items():
        row = whole.figures(vectors) if name == "main" else figures.per_set(parts, vectors, args.data)
        rows.setdefault(method, {})[str(nbytes)] = row
    return rows


def left_out_name(left: tuple[str, ...]) -> str:
    """Key of a leave-out split in the results."""
    return "without " + " and ".join(left)


def main() -> None:
    """Measure all splits and print them."""
    parser = output.parser(__doc__)
    parser.add_argument("--cache", type=Path, default=CACHE, help="where trained quantizers are kept")
    parser.add_argument("--main-opq", action="store_true", help="OPQ on the main split too: an hour more")
    args = parser.parse_args()
    faiss.omp_set_num_threads(1)
    result: dict[str, Any] = {
        "faiss": faiss.__version__,
        "seeds": "split: default_rng(0); faiss: its fixed defaults",
        "rq": {"stages": STAGES, "bits": 8, "train_beam": TRAIN_BEAM, "encode_beam": ENCODE_BEAM},
        "main": measure(split.load_split(args.data), args, "main"),
    }
    for left in split.LEFT_OUT:
        result[left_out_name(left)] = measure(split.load_leave_out(args.data, left), args, "-".join(left))
    output.emit(result, args.output)


def _cached(path: Path, compute: Callable[[], split.Vectors]) -> split.Vectors:
    if path.exists():
        kept: split.Vectors = np.load(path)
        return kept
    start = time.perf_counter()
    made = compute()
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, made)
    output.note(f"{path.parent.name}/{path.stem}: {time.perf_counter() - start:.0f} s")
    return made


if __name__ == "__main__":
    main()
