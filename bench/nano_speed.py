"""How fast the built-in encoder is, beside a network of CLIP ViT-B/32's dimensions, and what JPEG drafts do.

Both networks run on one core in the same run, taking turns. The larger one has random weights, rounded to
eight bits by ONNX Runtime's own quantiser: its time does not depend on them. Drafts are measured on
scikit-image's photographs as they are, and timed on one enlarged to a camera's 12 megapixels.
"""

from __future__ import annotations

import io
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import skimage.data
from PIL import Image

import output
import speed
from sememe.backbones.images import open_image
from sememe.backbones.nano import NanoBackbone

RUNS = 15
LAYERS, WIDTH, HEADS, TOKENS, DIM = 12, 768, 12, 50, 512
PHOTOGRAPHS = (
    *("astronaut", "brick", "camera", "gravel", "grass", "hubble_deep_field"),
    *("immunohistochemistry", "moon", "retina", "rocket"),
)


def vit_b32() -> Any:
    """Build an image encoder of ViT-B/32's dimensions: 12 layers, 768 wide, 50 tokens."""
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(0)
    nodes, constants = [], []

    def constant(values: Any) -> str:
        constants.append(numpy_helper.from_array(values, f"c{len(constants)}"))
        return str(constants[-1].name)

    def weight(*shape: int) -> str:
        return constant((rng.standard_normal(shape) / np.sqrt(shape[0])).astype(np.float32))

    def add(kind: str, *inputs: str, **attributes: Any) -> str:
        nodes.append(helper.make_node(kind, inputs, [f"{kind}{len(nodes)}"], **attributes))
        return str(nodes[-1].output[0])

    def normalised(x: str) -> str:
        ones, zeros = np.ones(WIDTH, np.float32), np.zeros(WIDTH, np.float32)
        return add("LayerNormalization", x, constant(ones), constant(zeros))

    def heads(x: str, *order: int) -> str:
        shape = constant(np.array([1, TOKENS, HEADS, WIDTH // HEADS]))
        return add("Transpose", add("Reshape", x, shape), perm=order)

    def attention(x: str) -> str:
        q, k, v = (add("MatMul", x, weight(WIDTH, WIDTH)) for _ in range(3))
        scores = add("MatMul", heads(q, 0, 2, 1, 3), heads(k, 0, 2, 3, 1))
        root = constant(np.float32(np.sqrt(WIDTH // HEADS)))
        seen = add("MatMul", add("Softmax", add("Div", scores, root)), heads(v, 0, 2, 1, 3))
        rows = add("Transpose", seen, perm=[0, 2, 1, 3])
        rows = add("Reshape", rows, constant(np.array([1, TOKENS, WIDTH])))
        return add("MatMul", rows, weight(WIDTH, WIDTH))

    def quick_gelu(x: str) -> str:
        return add("Mul", x, add("Sigmoid", add("Mul", x, constant(np.float32(1.702)))))

    patches = weight(WIDTH, 3, 32, 32)
    x = add("Conv", "pixels", patches, kernel_shape=[32, 32], strides=[32, 32])
    x = add("Reshape", x, constant(np.array([1, WIDTH, TOKENS - 1])))
    x = add("Transpose", x, perm=[0, 2, 1])
    x = add("Concat", weight(1, 1, WIDTH), x, axis=1)
    for _ in range(LAYERS):
        x = add("Add", x, attention(normalised(x)))
        wide = quick_gelu(add("MatMul", normalised(x), weight(WIDTH, 4 * WIDTH)))
        x = add("Add", x, add("MatMul", wide, weight(4 * WIDTH, WIDTH)))
    first = add("Gather", normalised(x), constant(np.array(0)), axis=1)
    nodes.append(helper.make_node("MatMul", [first, weight(WIDTH, DIM)], ["vectors"]))
    pixels = helper.make_tensor_value_info("pixels", TensorProto.FLOAT, [1, 3, 224, 224])
    vectors = helper.make_tensor_value_info("vectors", TensorProto.FLOAT, [1, DIM])
    graph = helper.make_graph(nodes, "vit", [pixels], [vectors], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    return model


def in_eight_bits(model: Any) -> bytes:
    """Quantise dynamically, as the usual int8 exports of CLIP are."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder) / "a.onnx", Path(folder) / "b.onnx"
        onnx.save(model, before)
        quantize_dynamic(before, after, weight_type=QuantType.QInt8, op_types_to_quantize=["MatMul"])
        return after.read_bytes()


def session(model: bytes) -> Any:
    """Make a session on one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def in_turns(calls: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Median processor milliseconds of each call, one after the other in every round."""
    spent: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(RUNS + 2):
        for name, call in calls.items():
            start = time.process_time()
            call()
            if turn >= 2:
                spent[name].append(1000 * (time.process_time() - start))
    return {name: round(statistics.median(times), 2) for name, times in spent.items()}


def networks(nano: NanoBackbone) -> dict[str, float]:
    """Time the image encoders and a text query."""
    model = vit_b32()
    pixels = np.random.default_rng(1).standard_normal((1, 3, 224, 224)).astype(np.float32)
    whole, small = session(model.SerializeToString()), session(in_eight_bits(model))
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8))
    return in_turns(
        {
            "nano_image": lambda: nano.embed_images([picture]),
            "nano_text": lambda: nano.embed_texts(["a small brown dog in the snow"]),
            "vit_b32_dims_int8": lambda: small.run(None, {"pixels": pixels}),
            "vit_b32_dims_float32": lambda: whole.run(None, {"pixels": pixels}),
        }
    )


def drafts(nano: NanoBackbone) -> dict[str, Any]:
    """Cosine and time of drafted against full decoding."""
    side = int(nano.preprocessing["jpeg_draft_min_side"])  # type: ignore[call-overload]
    cosines = []
    for name in PHOTOGRAPHS:
        photograph = Image.fromarray(getattr(skimage.data, name)()).convert("RGB")
        content = as_jpeg(photograph)
        draft, full = open_image(content, min_side=side), open_image(content)
        if draft.size != full.size:
            pair = nano.embed_images([draft, full])
            cosines.append(float(pair[0] @ pair[1]))
    large = as_jpeg(photograph.resize((4000, 3000), Image.Resampling.LANCZOS))
    return {
        "photographs": len(cosines),
        "cosine_mean": round(float(np.mean(cosines)), 5),
        "cosine_least": round(min(cosines), 5),
        "decode_12_megapixels_milliseconds": in_turns(
            {"draft": lambda: open_image(large, min_side=side), "full": lambda: open_image(large)}
        ),
    }


def as_jpeg(image: Image.Image) -> bytes:
    """Save as a good JPEG."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=92)
    return file.getvalue()


def main() -> None:
    """Measure on one core."""
    args = output.parser(__doc__).parse_args()
    speed.on_one_core()
    nano = NanoBackbone()
    output.emit({"milliseconds": networks(nano), "jpeg_draft": drafts(nano)}, args.output)


if __name__ == "__main__":
    main()
