"""The built-in generator: its weights, seeds and options, and whether its pictures have to do with codes."""

from __future__ import annotations

import json
import shutil
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sememe.backbones.nano import NanoBackbone
from sememe.bitstream.colours import measure, pack_colours
from sememe.errors import ExtensionError, ModelUnavailableError, UsageError, VectorError
from sememe.generate.own import GENERATOR_ID, DrawGenerator
from sememe.generate.own.sampling import sample
from sememe.profile import load

ROOT = Path(__file__).resolve().parents[1]
WEIGHTS = Path(str(files("sememe") / "data" / "draw"))
STEPS = 3


@pytest.fixture(scope="module")
def generator() -> DrawGenerator:
    return DrawGenerator()


@pytest.fixture(scope="module")
def x() -> np.ndarray:
    """Three vectors, of the code's own making."""
    codes = np.random.default_rng(0).integers(0, 256, (3, 16)).astype(np.uint8)
    return load("nano").decode(codes)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(WEIGHTS, tmp_path / "draw"))


def same(one: Image.Image, other: Image.Image) -> bool:
    return np.array_equal(np.asarray(one), np.asarray(other))


def test_the_weights_ship_and_are_small() -> None:
    assert sum(path.stat().st_size for path in WEIGHTS.iterdir()) <= 25_000_000
    card = json.loads((WEIGHTS / "draw.json").read_text())
    assert set(card["sha256"]) == {path.name for path in WEIGHTS.iterdir()} - {"draw.json"}


def test_it_draws_from_the_vectors_of_the_shipped_profile(generator: DrawGenerator) -> None:
    profile = load("nano")
    assert (generator.space_id, generator.dim) == (profile.space_id, profile.dim)
    assert generator.generator_id == GENERATOR_ID == "draw"
    assert generator.takes_colours


def test_pictures_come_from_their_seeds_alone(generator: DrawGenerator, x: np.ndarray) -> None:
    pictures = generator.generate(x, seed=5, steps=STEPS)
    assert [(p.size, p.mode) for p in pictures] == [((64, 64), "RGB")] * 3
    assert same(generator.generate(x[2:], seed=7, steps=STEPS)[0], pictures[2])
    assert not same(generator.generate(x[2:], seed=8, steps=STEPS)[0], pictures[2])
    assert not same(generator.generate(x[1:2], seed=7, steps=STEPS)[0], pictures[2])


def test_nothing_to_draw(generator: DrawGenerator) -> None:
    assert generator.generate(np.zeros((0, generator.dim), np.float32)) == []


def test_progress_counts_all_steps(generator: DrawGenerator, x: np.ndarray) -> None:
    told: list[tuple[int, int]] = []
    generator.generate(x[:2], steps=2, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_colours_are_followed(generator: DrawGenerator, x: np.ndarray) -> None:
    """Vectors are the same; a blue and an orange layout decide which picture is the bluer."""
    drawn = []
    for colour in ((30, 60, 220), (220, 110, 20)):
        plain = np.full((1, 64, 64, 3), colour, np.uint8)
        layout = pack_colours(measure(plain)[0])
        drawn.append(np.asarray(generator.generate(x[:1], steps=8, colours=layout)[0], float))
    blue, orange = ((p[..., 2] - p[..., 0]).mean() for p in drawn)
    assert blue - orange > 60


def test_wrong_calls(generator: DrawGenerator, x: np.ndarray) -> None:
    with pytest.raises(VectorError):
        generator.generate(x[:, :100])
    with pytest.raises(VectorError):
        generator.generate(x * 2)
    with pytest.raises(VectorError):
        generator.generate(np.full_like(x, np.nan))
    with pytest.raises(UsageError, match="steps"):
        generator.generate(x, steps=0)
    with pytest.raises(ExtensionError, match="colour layout"):
        generator.generate(x, colours=bytes(17))


@pytest.mark.parametrize("name", ["flow.onnx", "decoder.onnx"])
def test_damaged_weights_are_named(copy: Path, x: np.ndarray, name: str) -> None:
    data = bytearray((copy / name).read_bytes())
    data[len(data) // 2] ^= 1
    (copy / name).write_bytes(data)
    with pytest.raises(ModelUnavailableError, match=f"{name}: damaged"):
        DrawGenerator(copy).generate(x[:1], steps=1)


def test_missing_weights_are_named(copy: Path, x: np.ndarray) -> None:
    (copy / "flow.onnx").unlink()
    with pytest.raises(ModelUnavailableError, match=r"flow\.onnx: weights are missing"):
        DrawGenerator(copy).generate(x[:1], steps=1)
    (copy / "draw.json").write_text("{")
    with pytest.raises(ModelUnavailableError, match=r"draw\.json: damaged"):
        DrawGenerator(copy)


def test_the_sampler_follows_straight_lines_exactly() -> None:
    """A constant velocity arrives at noise + velocity; guidance draws the two velocities apart."""
    noise, knowing, ignorant = (np.full((16, 64), v, np.float32) for v in (0.5, 3.0, 1.0))
    count: list[int] = []
    plain = sample(
        lambda _x, _t: (knowing, ignorant), noise, steps=4, guidance=1.0, told=lambda: count.append(1)
    )
    np.testing.assert_allclose(plain, 3.5, atol=1e-6)
    assert len(count) == 4
    more = sample(lambda _x, _t: (knowing, ignorant), noise, steps=5, guidance=2.0, told=lambda: None)
    np.testing.assert_allclose(more, 5.5, atol=1e-6)


def test_pictures_have_to_do_with_their_codes(generator: DrawGenerator, tmp_path: Path) -> None:
    """On the demo's photographs, drawn ones are nearer to their own original than to the others."""
    pytest.importorskip("skimage", reason="the photographs come with an extra: pip install 'sememe[demo]'")
    pytest.importorskip("sklearn", reason="the photographs come with an extra: pip install 'sememe[demo]'")
    from sememe.cli.demo.photos import copy_photos

    photos = [Image.open(path).convert("RGB") for path in copy_photos(tmp_path).values()]
    nano, profile = NanoBackbone(), load("nano")
    originals = nano.embed_images(photos)
    drawn = generator.generate(profile.decode(profile.encode(originals, 16)), steps=8)
    cosines = originals @ nano.embed_images(drawn).T
    own = np.eye(len(photos), dtype=bool)
    assert cosines[own].mean() - cosines[~own].mean() > 0.2


class TestRecipe:
    """What made the weights, where its own extra is installed."""

    @pytest.fixture(autouse=True)
    def _recipes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pytest.importorskip("pyarrow", reason="the recipes read Parquet: pip install 'sememe[parquet]'")
        monkeypatch.syspath_prepend(str(ROOT))

    def test_nothing_is_learned_from_what_judges(self) -> None:
        from recipes.draw import data

        sources = np.resize(["corel1k", "houses", "dogcat_small", "weather4"], 8000)
        parts = data.split(data.Pictures(sources, sources, np.zeros(8000, int)))
        assert sorted(np.concatenate(list(parts.values()))) == list(range(8000))
        assert (len(parts["tune"]), len(parts["test"])) == (500, 500)
        assert set(sources[parts["unseen"]]) == set(data.UNSEEN_SOURCES)
        assert set(sources[parts["train"]]) == {"houses", "weather4"}

    def test_tokens_keep_smooth_pictures(self) -> None:
        from recipes.draw.latents import Patches

        from sememe.bitstream.colours import paint

        steps = np.random.default_rng(0).integers(-4, 5, (300, 22))
        squares = paint(steps)
        patches = Patches.fit(squares)
        tokens = patches.tokens(squares)
        assert tokens.shape == (300, 16, 64)
        assert 0.8 < tokens.std() < 1.2
        torch = pytest.importorskip("torch", reason="needs torch: pip install 'sememe[recipes]'")
        from recipes.draw.decoder import Decoder

        with torch.no_grad():
            pixels = Decoder(patches)(torch.from_numpy(tokens)).permute(0, 2, 3, 1).numpy()
        assert np.abs((pixels + 1) * 127.5 - squares).max() < 3
