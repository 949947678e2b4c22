"""The command as a whole: help, one way out for errors, streams, and how fast it starts."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sememe import __version__, bitstream, errors, profile
from sememe.cli import info, main, parser, verify
from sememe.cli.output import Output
from workbench import hear_interrupts

VERBS = [verb.NAME for verb in parser.VERBS]
SEMEME = [sys.executable, "-m", "sememe"]


def sememe(*args: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, as a user does."""
    command = [*SEMEME, *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)  # type: ignore[call-overload,no-any-return]


def test_verbs_are_what_the_docs_promise() -> None:
    expected = (
        "encode decode info classify search dedupe map serve report caption find generate "
        "explain packet truncate verify merge remove compact export import fit bench plot "
        "models selftest demo"
    )
    assert expected.split() == VERBS


@pytest.mark.parametrize("verb", VERBS)
def test_help_has_a_summary_an_example_and_the_exit_codes(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([verb, "--help"]) == 0
    text = capsys.readouterr().out
    assert f"$ sememe {verb}" in text
    assert "--json" in text
    assert "--quiet" in text
    assert "exit codes: 0 ok" in text


def test_info_names_the_registered_profiles() -> None:
    assert {n: info.NAMES[n] for n in profile.REGISTERED} == profile.REGISTERED


def test_info_loads_nothing_heavy(tmp_path: Path) -> None:
    """Reading a single file takes the standard library alone; an archive takes numpy and no model."""
    path = tmp_path / "x.sem"
    path.write_bytes(bitstream.pack(bitstream.Record(1, b"", b"sixteen bytes !!")))
    script = f"""
import sys
from sememe.cli import main
main(["info", {str(path)!r}])
sys.exit(" ".join({{"numpy", "onnxruntime", "PIL", "faiss", "tqdm", "safetensors"}} & sys.modules.keys()))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stderr.strip() == ""  # sys.exit prints what was loaded


def test_help_lists_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(re.search(rf"^ +{verb} ", text, re.MULTILINE) for verb in VERBS)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"sememe {__version__}\n"


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        ([], "VERB"),
        (["compress"], "invalid choice: 'compress'"),
        (["info"], "FILE"),
        (["info", "--wrong", "x"], "--wrong"),
    ],
)
def test_usage_errors_are_one_line_and_2(
    argv: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(argv) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("sememe: ")
    assert captured.err.count("\n") == 1
    assert says in captured.err
    assert "--help" in captured.err


def errors_below(base: type[errors.SememeError]) -> list[type[errors.SememeError]]:
    return [base, *(error for child in base.__subclasses__() for error in errors_below(child))]


@pytest.mark.parametrize("error", errors_below(errors.SememeError), ids=lambda error: error.__name__)
def test_every_error_is_one_line_and_its_exit_code(
    error: type[errors.SememeError], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> int:
        raise error("cat.sem: no good\nat all; do this")

    monkeypatch.setattr(verify, "run", fail)
    assert main(["verify", "cat.sem"]) == error.exit_code
    assert error.exit_code in (1, 2, 4, 5)
    assert capsys.readouterr().err == "sememe: cat.sem: no good at all; do this\n"


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (FileNotFoundError(2, "No such file or directory", "gone"), 1, "gone: No such file or directory"),
        (OSError(28, "No space left on device"), 1, "cannot write the output: No space left on device"),
        (BrokenPipeError(32, "Broken pipe"), 0, ""),
    ],
)
def test_what_the_system_says_is_one_line_too(
    error: BaseException,
    status: int,
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object) -> int:
        raise error

    monkeypatch.setattr(verify, "run", fail)
    monkeypatch.setattr("sememe.cli._discard_stdout", lambda: None)  # stdout is the test's
    assert main(["verify", "cat.sem"]) == status
    assert says in capsys.readouterr().err


def test_a_mistake_of_ours_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(verify, "run", fail)
    with pytest.raises(ZeroDivisionError):
        main(["verify", "cat.sem"])


def test_failures_are_listed_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    out = Output(json=False, quiet=True)
    assert out.failures({}, total=2) == 0
    empty, torn = errors.InputError("empty"), errors.ChecksumError("b.sem: torn\nin two")
    assert out.failures({"a.jpg": empty}, total=2) == 3
    assert out.failures({"a.jpg": empty, "b.sem": torn}, total=2) == 1
    assert out.failures({"b.sem": torn}, total=1) == 4
    assert capsys.readouterr().err.splitlines() == [
        "sememe: a.jpg: empty",
        "sememe: a.jpg: empty",
        "sememe: b.sem: torn in two",
        "sememe: b.sem: torn in two",
    ]


def test_records_are_text_or_json(capsys: pytest.CaptureFixture[str]) -> None:
    fields = {"path": "\udcff.jpg", "nbytes": 16}
    Output(json=True, quiet=False).record(fields, "unused")
    assert json.loads(capsys.readouterr().out) == fields
    Output(json=False, quiet=False).record(fields, "sixteen bytes")
    assert capsys.readouterr().out == "sixteen bytes\n"


def test_quiet_silences_notes_and_progress(capsys: pytest.CaptureFixture[str]) -> None:
    Output(json=False, quiet=True).note("hello")
    Output(json=False, quiet=False).note("hello")
    with Output(json=False, quiet=False).progress("encoding") as show:
        assert show is None  # the test's stderr is no terminal
    assert capsys.readouterr() == ("", "hello\n")


# In a process of its own


def test_a_reader_that_stops_early_is_no_error() -> None:
    script = f"'{sys.executable}' -m sememe --help | head -c 10; echo; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[1:] == ["0"]
    assert done.stderr == ""


def test_ctrl_c_ends_with_130_and_one_line() -> None:
    read, write = os.pipe()  # a stdin that never ends
    with subprocess.Popen(
        [*SEMEME, "info", "-"],
        stdin=read,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear_interrupts,
    ) as process:
        time.sleep(1.0)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    os.close(read)
    os.close(write)
    assert process.returncode == 130
    assert stderr.startswith("sememe: interrupted")
    assert stderr.count("\n") == 1
