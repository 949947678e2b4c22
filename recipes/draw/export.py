"""Write what the recipe trained as the files that the package ships: two ONNX networks and their card.

Large weights are stored in eight bits with one scale for each output, as nano's are; the runtime widens
them once, when it loads.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from recipes.nano.export import SPACE_ID, to_int8
from torch import Tensor, nn

from . import state
from .decoder import Decoder
from .flow import COLOURS, VECTOR, Flow
from .latents import CHANNELS, TOKENS, Patches
from .train_flow import TOLD

OPSET, LEAST = 17, 4096
STEPS, GUIDANCE = 12, 3.0
NAMES = ("flow.onnx", "decoder.onnx")


class Steered(nn.Module):
    """The flow, asked with plain vectors and plain steps of a colour layout."""

    def __init__(self, flow: Flow, inputs: dict[str, np.ndarray]) -> None:
        super().__init__()
        self.flow = flow
        for name, array in inputs.items():
            self.register_buffer(name, torch.from_numpy(array).float())

    def forward(
        self,
        tokens: Tensor,
        t: Tensor,
        vector: Tensor,
        vector_told: Tensor,
        colours: Tensor,
        colours_told: Tensor,
    ) -> Tensor:
        """Return velocities (n, 16, 64)."""
        ones = torch.ones_like(vector_told)
        vector = torch.cat([(vector - self.vector_mean) / self.vector_scale, ones], 1) * vector_told
        colours = torch.cat([colours / self.colour_scale, ones], 1) * colours_told
        return self.flow(tokens, t, vector, colours)[0]


def to_onnx(network: nn.Module, examples: dict[str, Tensor], output: str) -> onnx.ModelProto:
    """Trace a network whose arguments and result all have a first axis of any length."""
    file = io.BytesIO()
    axes = {name: {0: "n"} for name in (*examples, output)}
    torch.onnx.export(
        network.eval(), tuple(examples.values()), file, dynamo=False, opset_version=OPSET,
        input_names=list(examples), output_names=[output], dynamic_axes=axes,
    )  # fmt: skip
    return onnx.load_from_string(file.getvalue())


def shrunk(model: onnx.ModelProto) -> onnx.ModelProto:
    """Store large weights in eight bits, with nodes that widen them."""
    kept, widen = [], []
    for tensor in model.graph.initializer:
        array = numpy_helper.to_array(tensor)
        if array.dtype != np.float32 or array.size < LEAST or array.ndim < 2:
            kept.append(tensor)
            continue
        kept += _eight_bits(tensor.name, array, by_row=array.ndim == 4)
        widen += [
            helper.make_node("Cast", [f"{tensor.name}.int8"], [f"{tensor.name}.plain"], to=TensorProto.FLOAT),
            helper.make_node("Mul", [f"{tensor.name}.plain", f"{tensor.name}.scale"], [tensor.name]),
        ]
    nodes = [*widen, *model.graph.node]
    del model.graph.initializer[:], model.graph.node[:]
    model.graph.initializer.extend(kept)
    model.graph.node.extend(nodes)
    for node in model.graph.node:
        node.doc_string = ""
    onnx.checker.check_model(model, full_check=True)
    return model


def _eight_bits(name: str, array: np.ndarray, *, by_row: bool) -> list[onnx.TensorProto]:
    """Round a weight; a convolution's outputs are its rows, a traced linear layer's its columns."""
    rounded, scale = to_int8(array if by_row else array.T)
    shaped = scale.reshape(-1, *([1] * (array.ndim - 1))) if by_row else scale[None]
    rounded = np.ascontiguousarray(rounded if by_row else rounded.T)
    return [
        numpy_helper.from_array(rounded, f"{name}.int8"),
        numpy_helper.from_array(np.ascontiguousarray(shaped, np.float32), f"{name}.scale"),
    ]


def main() -> None:
    """Export with the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("src/sememe/data/draw"))
    parser.add_argument("--float", action="store_true", help="keep all weights in 32 bits, to compare")
    args = parser.parse_args()
    with np.load(args.cache / "inputs.npz") as stored:
        flow = Steered(state.averaged(args.cache, "flow", Flow(told=TOLD)), dict(stored))
    decoder = state.averaged(args.cache, "decoder", Decoder(Patches.load(args.cache)))
    tokens = torch.zeros(2, TOKENS, CHANNELS)
    steered = {"vector": torch.zeros(2, VECTOR), "vector_told": torch.zeros(2, 1)}
    steered |= {"colours": torch.zeros(2, COLOURS), "colours_told": torch.zeros(2, 1)}
    models = (
        to_onnx(flow, {"tokens": tokens, "t": torch.zeros(2), **steered}, "velocity"),
        to_onnx(decoder, {"tokens": tokens}, "pixels"),
    )
    args.out.mkdir(parents=True, exist_ok=True)
    for name, model in zip(NAMES, models, strict=True):
        onnx.save(model if args.float else shrunk(model), args.out / name)
    card = {
        "dim": VECTOR,
        "guidance": GUIDANCE,
        "sha256": {n: hashlib.sha256((args.out / n).read_bytes()).hexdigest() for n in NAMES},
        "space_id": SPACE_ID,
        "steps": STEPS,
    }
    (args.out / "draw.json").write_text(json.dumps(card, indent=1, sort_keys=True) + "\n")
    print(json.dumps({n: (args.out / n).stat().st_size for n in NAMES}))


if __name__ == "__main__":
    main()
