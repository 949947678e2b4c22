"""What holds for the package as a whole."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import sememe
from sememe import api, batch, errors, index, metrics, zeroshot

TESTS = Path(__file__).parent
HEAVY = ("torch", "onnxruntime", "faiss", "PIL", "numpy", "safetensors", "tqdm", "pyarrow", "sqlite3")


def loaded_by(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_import_sememe_loads_nothing_heavy():
    assert loaded_by("import sememe").isdisjoint(HEAVY)


def test_decoding_and_archives_load_no_model_runtime():
    modules = loaded_by("import sememe; sememe.load, sememe.Archive, sememe.encode_paths, sememe.Codec")
    assert modules.isdisjoint({"torch", "onnxruntime", "faiss", "PIL", "tqdm", "pyarrow"})


def reading_order(name: str) -> tuple[int, str]:
    """Constants, then classes, then the rest, each by name."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2), name


@pytest.mark.parametrize("module", [sememe, api, batch, index, metrics, zeroshot])
def test_all_is_sorted_unique_and_true(module):
    assert module.__all__ == sorted(set(module.__all__), key=reading_order)
    for name in module.__all__:
        assert getattr(module, name) is not None


def test_every_public_name_has_a_home_and_the_other_way_round():
    assert {*sememe._HOMES, "__version__"} == set(sememe.__all__)
    assert set(sememe.__all__) <= set(dir(sememe))


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = sememe.no_such_name


def test_every_public_function_and_class_is_documented():
    for name in sememe.__all__:
        thing = getattr(sememe, name)
        if inspect.isclass(thing) or inspect.isfunction(thing):
            assert inspect.getdoc(thing), name
        if inspect.isclass(thing) and thing.__module__.startswith("sememe"):
            for attribute, member in vars(thing).items():
                if inspect.isfunction(member) and not attribute.startswith("_"):
                    assert inspect.getdoc(member), f"{name}.{attribute}"


def error_classes():
    return [c for c in vars(errors).values() if inspect.isclass(c) and c.__module__ == errors.__name__]


@pytest.mark.parametrize("error", error_classes(), ids=lambda error: error.__name__)
def test_every_error_is_in_the_drawn_tree_with_its_exit_code(error):
    assert error.__name__ in errors.__doc__
    assert error.exit_code in (1, 2, 4, 5)
    assert issubclass(error, errors.SememeError)


def names_raised_in_tests() -> set[str]:
    """Names inside the arguments of `pytest.raises` and of parametrized cases, in any test file."""
    names = set()
    for path in TESTS.glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            called = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
            if called and node.func.attr in ("raises", "parametrize", "param"):
                names |= {n.id for a in node.args for n in ast.walk(a) if isinstance(n, ast.Name)}
                names |= {n.attr for a in node.args for n in ast.walk(a) if isinstance(n, ast.Attribute)}
    return names


def test_every_error_that_is_raised_as_such_is_provoked_by_a_test():
    leaves = {c.__name__ for c in error_classes() if not c.__subclasses__()}
    assert leaves - names_raised_in_tests() == set()


def test_the_python_page_runs(tmp_path, monkeypatch, capsys):
    if "nano" not in sememe.profile.available():
        pytest.skip("the profile nano is not in this tree")
    data = pytest.importorskip("skimage.data")
    (tmp_path / "photos").mkdir()
    for name in ("cat", "coffee", "rocket"):
        Image.fromarray(getattr(data, name)()).save(tmp_path / "photos" / f"{name}.png")
    monkeypatch.chdir(tmp_path)
    page = (TESTS.parent / "docs" / "python.md").read_text("utf-8")
    blocks = [part.split("```")[0] for part in page.split("```python\n")[1:]]
    assert len(blocks) == 6
    scope = {}
    for block in blocks:
        exec(compile(block, "docs/python.md", "exec"), scope)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("cat ")
    assert lines[2].startswith("cup of coffee ")
