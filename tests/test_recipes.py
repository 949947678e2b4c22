"""The recipes that made what ships: their pictures, their parts, their queries; with torch, their network."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
pq = pytest.importorskip("pyarrow.parquet", reason="the recipes read Parquet: pip install 'sememe[parquet]'")

from recipes.nano import data, freetext  # noqa: E402


def jpeg(colour: tuple[int, int, int], size: tuple[int, int] = (160, 128)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "JPEG", quality=95)
    return file.getvalue()


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A shard whose pictures of part a are red and whose others are blue."""
    import pyarrow as pa

    sources = ["corel1k", "tiny_imagenet_64px"] * 20
    rows = [jpeg((255, 0, 0)) if s == "corel1k" else jpeg((0, 0, 255)) for s in sources]
    pq.write_table(pa.table({"jpg": rows, "source": sources}), tmp_path / "train-000.parquet")
    return tmp_path


def test_the_parts_share_no_source() -> None:
    every = [s for sources in data.PARTS.values() for s in sources]
    assert len(every) == len(set(every))
    assert {data.part_of(s) for s in every} == set(data.PARTS)
    assert data.part_of("houses") == ""
    assert data.left_out(["a", "houses"]) == [*data.PARTS["a"], "houses"]


@pytest.mark.parametrize("view", data.VIEWS)
def test_views_never_mix_pictures_of_different_parts(images: Path, view: int) -> None:
    for i, (small, large) in enumerate(data.cut_shard(images, 0, view)):
        assert (small.shape, large.shape) == ((112, 112, 3), (224, 224, 3))
        strange = 2 if i % 2 == 0 else 0
        assert small[..., strange].max() < 8
        assert large[..., strange].max() < 8


def test_views_are_the_same_again(images: Path) -> None:
    for view in (1, 4):
        first, again = (list(data.cut_shard(images, 0, view)) for _ in range(2))
        assert all(np.array_equal(a[1], b[1]) for a, b in zip(first, again, strict=True))


def test_what_is_pasted_lies_at_the_same_place_for_both_eyes() -> None:
    def plain(value: int) -> data.Squares:
        return np.full((112, 112, 3), value, np.uint8), np.full((224, 224, 3), value, np.uint8)

    kinds = set()
    for seed in range(20):
        small, large = data.blend(plain(0), plain(255), np.random.default_rng(seed))
        kinds.add(len(np.unique(large)))
        np.testing.assert_array_equal(large[::2, ::2], small)
    assert kinds == {1, 2}


@pytest.mark.parametrize("size", [(128, 128), (205, 128), (128, 205), (3, 200)])
def test_random_boxes_lie_inside(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    for _ in range(100):
        left, top, right, bottom = data.random_box(*size, rng)
        assert 0 <= left < right <= size[0] + 1e-9
        assert 0 <= top < bottom <= size[1] + 1e-9


def test_free_text_is_judged_by_what_comes_first() -> None:
    def by_first_letter(texts: list[str]) -> np.ndarray:
        return np.eye(26)[[ord(t[0].lower()) - 97 for t in texts]]

    kinds = {"right": {"cow": ["cat"]}, "wrong": {"zeal": ["cat"]}, "two": {"ab": ["apple", "banana"]}}
    found = freetext.shares(kinds, by_first_letter)
    assert found["wrong"] == {"queries": 1, "first": 0.0, "five": 0.0}
    assert {q for wanted in freetext.queries().values() for q in wanted}
    assert all(len(names) == 2 for names in freetext.queries()["two_things"].values())


class TestWithTorch:
    """What needs the recipes' own extra."""

    @pytest.fixture(autouse=True)
    def _torch(self) -> None:
        pytest.importorskip("torch", reason="needs torch: pip install 'sememe[recipes]'")

    def test_the_student_s_maps_match_the_teacher_s(self) -> None:
        import torch
        from recipes.nano.student import Hints, Student

        seen = Student(256).eval().look(torch.zeros(2, 3, data.STUDENT_SIDE, data.STUDENT_SIDE))
        hints = Hints()
        assert hints.m14(seen.m14).shape == (2, 96, 14, 14)
        assert hints.m7(seen.m7).shape == (2, 320, 7, 7)
        assert hints.feature(seen.pooled).shape == (2, 1280)

    def test_a_line_drawing_is_dark_where_the_picture_has_edges(self) -> None:
        import torch
        from recipes.nano.styles import line_drawing

        picture = torch.full((3, 112, 112), -0.5)
        picture[:, :, 56:] = 0.5
        drawn = line_drawing(picture, np.random.default_rng(0))
        assert drawn.shape == picture.shape
        assert torch.equal(drawn[0], drawn[2])
        assert drawn[0, :, 54:58].min() < -0.5
        assert drawn[0, :, :40].min() > 0.8

    def test_a_cartoon_has_few_strong_colours(self) -> None:
        import torch
        from recipes.nano.styles import cartoon

        torch.manual_seed(0)
        patches = torch.rand(3, 2, 2).repeat_interleave(56, 1).repeat_interleave(56, 2)
        picture = patches + torch.randn(3, 112, 112) * 0.05
        drawn = cartoon(picture, np.random.default_rng(1))
        assert drawn.abs().max() <= 1

        def most_common(values: torch.Tensor) -> float:
            _, counts = torch.unique((values * 500).round(), return_counts=True)
            return float(counts.sort(descending=True).values[:12].sum() / values.numel())

        assert most_common(drawn) > 0.6 > 2 * most_common(picture)

    def test_some_pictures_are_redrawn_and_the_others_stay(self) -> None:
        import torch
        from recipes.nano.styles import SHARE, redrawn

        pictures = torch.rand(200, 3, 16, 16) * 2 - 1
        drawn = redrawn(pictures.clone(), np.random.default_rng(0))
        changed = (drawn != pictures).flatten(1).any(1).float().mean()
        assert SHARE < changed < 3 * SHARE

    def test_a_soup_is_the_mean_of_two_runs(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        import torch
        from recipes.nano import soup
        from recipes.nano.train import checkpoint

        for name, value in (("one", 1.0), ("two", 4.0)):
            state = {"weight": torch.full((3,), value), "steps": torch.tensor(int(value))}
            torch.save({"model": state, "seen": int(value)}, checkpoint(tmp_path, name))
        monkeypatch.setattr(
            sys, "argv", ["soup", "--cache", str(tmp_path), "--of", "one", "two", "--name", "mean"]
        )
        soup.main()
        found = torch.load(checkpoint(tmp_path, "mean"))
        assert found["model"]["weight"].tolist() == [2.5] * 3
        assert (int(found["model"]["steps"]), found["seen"]) == (4, 4)

    @pytest.mark.parametrize("shape", [(8, 8), (6, 40), (40, 6), (16, 4, 3, 3)])
    def test_muon_s_step_is_nearly_orthogonal(self, shape: tuple[int, ...]) -> None:
        import torch
        from recipes.nano.muon import Muon

        torch.manual_seed(0)
        weight = torch.nn.Parameter(torch.zeros(shape))
        weight.grad = torch.randn(shape)
        Muon([weight], rate=1.0).step()
        matrix = weight.detach().reshape(shape[0], -1)
        stretch = max(1.0, matrix.shape[0] / matrix.shape[1]) ** 0.5
        values = torch.linalg.svdvals(matrix) / stretch
        assert 0.5 < values.min() <= values.max() < 1.3
        assert (matrix * weight.grad.reshape(matrix.shape)).sum() < 0

    def test_the_exported_network_is_the_trained_one(self) -> None:
        ort = pytest.importorskip("onnxruntime")
        pytest.importorskip("onnx", reason="needs onnx: pip install 'sememe[recipes]'")
        import torch
        from recipes.nano.export import CLASS_SHARE, ClassHead, image_model
        from recipes.nano.space import unit
        from recipes.nano.student import Student

        torch.manual_seed(0)
        student = Student(256).train()
        pixels = torch.rand(8, 3, 112, 112) * 2 - 1
        for block in (b for stage in student.stages for b in stage):
            torch.nn.init.ones_(block.nb.weight)
        student(pixels)
        student.eval()
        rng = np.random.default_rng(0)
        head = ClassHead(
            rng.normal(size=(1000, 1024)) * 0.05, rng.normal(size=1000), unit(rng.normal(size=(1000, 256)))
        )
        with torch.no_grad():
            features = (student.look(pixels).pooled + student.look(pixels.flip(3)).pooled) / 2
            own = unit(student.joint(features).numpy())
        shares = np.exp(features.numpy() @ head.weight.T + head.bias)
        expected = own + CLASS_SHARE * unit(shares @ head.places)
        for int8, least in ((False, 0.99999), (True, 0.995)):
            model = image_model(student, head, 112, int8=int8).SerializeToString()
            session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
            found = session.run(None, {"pixels": pixels.numpy()})[0]
            cosine = (
                (found * expected).sum(1) / np.linalg.norm(found, axis=1) / np.linalg.norm(expected, axis=1)
            )
            assert cosine.min() > least
