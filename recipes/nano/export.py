"""Write the trained students as the files that the package ships.

The image network becomes ONNX with its normalisations folded into the convolutions and every weight in eight
bits, one scale per output channel. Plain nodes cast and scale them, which the runtime does once when it loads
(it would repeat DequantizeLinear for every picture: 15 against 10 ms); arithmetic is float32.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save
from torch import nn

from sememe.backbones.wordpiece import hash_pieces

from .data import STUDENT_SIDE
from .space import DIM
from .student import TOP, Block, Hints, Student
from .targets import Mix, classifier
from .train import checkpoint

SPACE_ID = "nano/3"
OPSET = 17

#: How much the class names count beside the student's own vector; chosen on part b for a, and on a for b.
CLASS_SHARE = 0.5


def folded(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights and bias of a convolution with its normalisation folded in."""
    gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    weight = conv.weight * gain[:, None, None, None]
    bias = norm.bias - norm.running_mean * gain
    return weight.detach().double().numpy(), bias.detach().double().numpy()


def to_int8(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Round to signed eight bits with one scale per row (output channel)."""
    scale = np.abs(weight).reshape(len(weight), -1).max(1) / 127 + 1e-12
    rounded = np.round(weight / scale.reshape(-1, *([1] * (weight.ndim - 1))))
    return rounded.astype(np.int8), scale.astype(np.float32)


class Graph:
    """An ONNX graph built node by node."""

    def __init__(self, *, int8: bool) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.int8, self.count = int8, 0

    def add(self, kind: str, *inputs: str, **attributes: object) -> str:
        """Add a node and return the name of its output."""
        self.count += 1
        name = f"{kind.lower()}{self.count}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def constant(self, values: np.ndarray) -> str:
        """Add a stored array."""
        self.count += 1
        self.constants.append(numpy_helper.from_array(values, f"c{self.count}"))
        return f"c{self.count}"

    def weight(self, values: np.ndarray) -> str:
        """Add weights, in eight bits if wanted."""
        if not self.int8:
            return self.constant(values.astype(np.float32))
        rounded, scale = to_int8(values)
        shaped = scale.reshape(-1, *([1] * (values.ndim - 1)))
        plain = self.add("Cast", self.constant(rounded), to=TensorProto.FLOAT)
        return self.add("Mul", plain, self.constant(shaped))

    def mirrored(self, x: str) -> str:
        """Add a flip of the last axis."""
        first, last, axis, step = (self.constant(np.array([v])) for v in (-1, np.iinfo(np.int64).min, 3, -1))
        return self.add("Slice", x, first, last, axis, step)

    def conv(self, x: str, conv: nn.Conv2d, norm: nn.BatchNorm2d) -> str:
        """Add a convolution with its normalisation."""
        weight, bias = folded(conv, norm)
        pad, kernel = list(conv.padding) * 2, list(conv.kernel_size)
        names = (x, self.weight(weight), self.constant(bias.astype(np.float32)))
        return self.add("Conv", *names, kernel_shape=kernel, strides=list(conv.stride), pads=pad)

    def linear(self, x: str, weight: np.ndarray, bias: np.ndarray) -> str:
        """Add a linear layer of weight (out, in)."""
        return self.add("Gemm", x, self.weight(weight), self.constant(bias.astype(np.float32)), transB=1)

    def block(self, x: str, block: Block) -> str:
        """Add a residual block."""
        y = self.conv(self.add("Relu", self.conv(x, block.a, block.na)), block.b, block.nb)
        if isinstance(block.short, nn.Sequential):
            parts = list(block.short)
            if isinstance(parts[0], nn.AvgPool2d):
                x = self.add("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
            x = self.conv(x, parts[-2], parts[-1])
        return self.add("Relu", self.add("Add", y, x))


@dataclass(frozen=True)
class ClassHead:
    """What names the teacher's 1,000 classes and says them in the joint space.

    Attributes
    ----------
    weight, bias : (1000, 1024), (1000,)
        From the student's features to class logits.
    places : (1000, 256)
        Of the class names.
    """

    weight: np.ndarray
    bias: np.ndarray
    places: np.ndarray


def class_head(hints: Hints, mix: Mix, teachers: Path) -> ClassHead:
    """Fold the learned map to the teacher's features into the teacher's own last layer."""
    weights, bias = classifier(teachers)
    weights, bias = weights[1:], bias[1:]  # the first class is the background
    inner = (weights * mix.spread) @ hints.feature.weight.detach().numpy()
    shift = weights @ (mix.spread * hints.feature.bias.detach().numpy() + mix.mean)
    return ClassHead(inner, bias + shift, mix.classes)


def image_model(student: Student, head: ClassHead, side: int, *, int8: bool = True) -> onnx.ModelProto:
    """Return the image network: ``pixels`` (n, 3, side, side) float32 to ``vectors`` (n, dim).

    Features are the mean over the picture and its mirror image. A vector is a sum of two: the student's own,
    which knows the names of all concepts it saw, and the places of the teacher's class names by their
    probabilities, which tell a thousand classes apart better.
    """
    graph = Graph(int8=int8)
    x = graph.add("Concat", "pixels", graph.mirrored("pixels"), axis=0)
    for at in (0, 3):
        x = graph.add("Relu", graph.conv(x, student.stem[at], student.stem[at + 1]))
    for block in (block for stage in student.stages for block in stage):
        x = graph.block(x, block)
    x = graph.add("Relu", graph.conv(x, student.top[0], student.top[1]))
    x = graph.add("Flatten", graph.add("GlobalAveragePool", x))
    pairs = graph.add("Reshape", x, graph.constant(np.array([2, -1, TOP])))
    x = graph.add("ReduceMean", pairs, axes=[0], keepdims=0)
    own = graph.linear(x, student.joint.weight.detach().numpy(), student.joint.bias.detach().numpy())
    shares = graph.add("Softmax", graph.linear(x, head.weight, head.bias), axis=1)
    named = graph.linear(shares, head.places.T, np.zeros(DIM))
    own, named = (graph.add("LpNormalization", v, axis=1, p=2) for v in (own, named))
    weighed = graph.add("Mul", named, graph.constant(np.float32(CLASS_SHARE)))
    graph.nodes.append(helper.make_node("Add", [own, weighed], ["vectors"], name="sum"))
    pixels = helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["n", 3, side, side])
    vectors = helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["n", DIM])
    made = helper.make_graph(graph.nodes, "nano", [pixels], [vectors], graph.constants)
    model = helper.make_model(
        made, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="sememe recipes/nano"
    )
    model.ir_version = 9
    onnx.checker.check_model(model, full_check=True)
    return model


def text_tables(stored: np.lib.npyio.NpzFile) -> dict[str, np.ndarray]:
    """Return the text student's arrays as the package stores them."""
    rounded, scale = to_int8(stored["table"])
    half = {
        "scale": scale[:, None],
        "inner": stored["inner.weight"].T,
        "bias": stored["inner.bias"],
        "outer": stored["outer.weight"].T,
        "direct": stored["direct.weight"].T,
    }
    return {"table": rounded} | {k: np.ascontiguousarray(v, dtype=np.float16) for k, v in half.items()}


def preprocessing(side: int) -> dict[str, object]:
    """Describe what happens to a picture, as `sememe.backbones.nano` does it."""
    return {
        "colour": "RGB, transparency on white, deep grey scaled to 8 bits",
        "crop": "centre square",
        "jpeg_draft_min_side": 2 * side,
        "layout": "NCHW",
        "mean": [0.5, 0.5, 0.5],
        "mirror": "mean of the picture's features and its mirror image's",
        "orientation": "EXIF applied",
        "resize": {"antialias": True, "filter": "bicubic", "side": side},
        "scale": "1/255",
        "std": [0.5, 0.5, 0.5],
    }


def load_networks(path: Path) -> tuple[Student, Hints]:
    """Return the student of a checkpoint, ready to infer, and its hints."""
    stored = torch.load(path, map_location="cpu")["model"]
    networks: dict[str, nn.Module] = {"student": Student(DIM), "hints": Hints()}
    for name, network in networks.items():
        own = {k.removeprefix(f"{name}."): v for k, v in stored.items() if k.startswith(f"{name}.")}
        network.load_state_dict(own)
    return networks["student"].eval(), networks["hints"].eval()


def write_card(folder: Path, side: int, **measured: object) -> None:
    """Write ``nano.json``, keeping measured numbers of an earlier export unless new ones are given."""
    path = folder / "nano.json"
    earlier = json.loads(path.read_text()) if path.exists() else {}
    card = {"logit_scale": 20.0, "statistics": {}} | {
        k: earlier[k] for k in ("logit_scale", "statistics") if k in earlier
    }
    card |= measured
    names = ("image.onnx", "pieces.bin", "text.safetensors")
    card |= {
        "dim": DIM,
        "preprocessing": preprocessing(side),
        "sha256": {n: hashlib.sha256((folder / n).read_bytes()).hexdigest() for n in names},
        "space_id": SPACE_ID,
    }
    path.write_text(json.dumps(card, indent=1, sort_keys=True) + "\n")


def main() -> None:
    """Export with the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=Path("../shared/data"))
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--name", default="all", help="training run: the part left out, or all")
    parser.add_argument("--out", type=Path, default=Path("src/sememe/data/nano"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    student, hints = load_networks(checkpoint(args.cache, args.name))
    head = class_head(hints, Mix([args.name], args.cache, args.shared), args.shared / "teachers")
    onnx.save(image_model(student, head, STUDENT_SIDE), args.out / "image.onnx")
    onnx.save(image_model(student, head, STUDENT_SIDE, int8=False), args.cache / "image-float.onnx")
    stored = np.load(args.cache / "text-student.npz")
    (args.out / "pieces.bin").write_bytes(hash_pieces(stored["pieces"].tolist()).astype("<u8").tobytes())
    (args.out / "text.safetensors").write_bytes(save(text_tables(stored)))
    write_card(args.out, STUDENT_SIDE)
    total = sum(p.stat().st_size for p in args.out.iterdir())
    print(json.dumps({p.name: p.stat().st_size for p in sorted(args.out.iterdir())} | {"total": total}))


if __name__ == "__main__":
    main()
