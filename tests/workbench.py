"""What the end-to-end tests of the command share: a profile, pictures, a way to run it."""

from __future__ import annotations

import contextlib
import io
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from sememe import backbones
from sememe.cli import main
from sememe.profile import Profile

TOY = ("--profile", "toy.profile")
COLOURS = ("red", "lime", "blue", "white", "black", "yellow")


def toy_profile(path: Path, *, seed: int = 0) -> Path:
    """Fit a profile of the toy backbone, which sees colours only; another seed, another fingerprint."""
    backbone = backbones.load("toy/32")
    rng = np.random.default_rng(seed)
    tiles = [Image.fromarray(rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)) for _ in range(300)]
    flat = [Image.new("RGB", (4, 4), tuple(rng.integers(0, 256, 3).tolist())) for _ in range(300)]
    manifest = {
        "profile_id": "toy",
        "space_id": backbone.space_id,
        "backbone_id": backbone.backbone_id,
        "preprocessing": dict(backbone.preprocessing),
    }
    Profile.fit(backbone.embed_images(tiles + flat), manifest=manifest).save(path)
    return path


def picture(colour: str, size: tuple[int, int] = (64, 48)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "PNG")
    return buffer.getvalue()


@dataclass(frozen=True)
class Done:
    """What a run of the command left behind."""

    returncode: int
    stdout: bytes
    stderr: bytes


@dataclass(frozen=True)
class Bench:
    """A folder with photos/ in plain colours and toy.profile, and the command run in it."""

    folder: Path

    def run(self, *args: str, stdin: bytes = b"") -> Done:
        """Run the command in this process, which is ten times faster than in one of its own."""
        streams = sys.stdin, sys.stdout, sys.stderr
        source = io.TextIOWrapper(io.BufferedReader(io.BytesIO(stdin)), "utf-8")
        pipes = [source, *(io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2))]
        with contextlib.chdir(self.folder):
            sys.stdin, sys.stdout, sys.stderr = pipes
            try:
                status = main(args)
            finally:
                sys.stdin, sys.stdout, sys.stderr = streams
        written = [pipe.detach().getvalue() for pipe in map(flushed, pipes[1:])]
        return Done(status, *written)

    def spawn(self, *args: str, **streams: object) -> subprocess.CompletedProcess[bytes]:
        """Run the command in a process of its own."""
        command = [sys.executable, "-W", "error", "-m", "sememe", *args]
        return subprocess.run(command, cwd=self.folder, timeout=120, **streams)  # type: ignore[call-overload,no-any-return]

    def ok(self, *args: str, stdin: bytes = b"") -> str:
        """Run what must succeed without a word on stderr; return stdout."""
        done = self.run(*args, stdin=stdin)
        assert (done.returncode, done.stderr.decode()) == (0, ""), done
        return done.stdout.decode()

    def fails(self, *args: str, stdin: bytes = b"") -> tuple[int, str]:
        """Run what must fail; return the exit code and the complaint, which is one line."""
        done = self.run(*args, stdin=stdin)
        lines = done.stderr.decode().splitlines()
        assert len(lines) == 1, done
        assert lines[0].startswith("sememe: ")
        return done.returncode, lines[0].removeprefix("sememe: ")

    def path(self, name: str) -> Path:
        return self.folder / name


def flushed(pipe: io.TextIOWrapper) -> io.TextIOWrapper:
    pipe.flush()
    return pipe


def make_bench(folder: Path, profile: Path) -> Bench:
    (folder / "photos").mkdir()
    (folder / "toy.profile").write_bytes(profile.read_bytes())
    for colour in COLOURS:
        (folder / "photos" / f"{colour}.png").write_bytes(picture(colour))
    return Bench(folder)


def hear_interrupts() -> None:
    """Undo what a shell does to jobs in the background, whose children would ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
