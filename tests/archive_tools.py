"""Small helpers shared by the tests of the archive."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sememe.archive import Archive, ArchiveProfile, NewItem

PROFILE = ArchiveProfile("custom", bytes(range(32)), '{"space_id":"toy/32"}', b"tables of a custom profile")
NBYTES = 16


def code_of(text: str, nbytes: int = NBYTES) -> bytes:
    """Give every text a code of its own."""
    return (hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest() * 8)[:nbytes]


def codes_of(texts: Sequence[str], nbytes: int = NBYTES) -> NDArray[np.uint8]:
    return np.frombuffer(b"".join(code_of(t, nbytes) for t in texts), np.uint8).reshape(-1, nbytes)


def put_paths(archive: Archive, paths: Sequence[str], **fields: int) -> None:
    archive.put([NewItem(path, **fields) for path in paths], codes_of(paths, archive.nbytes))


def make(path: Path, paths: Sequence[str] = (), nbytes: int = NBYTES) -> Path:
    """Make an archive in which every path has the code of its name."""
    with Archive.create(path, PROFILE, nbytes) as archive:
        if paths:
            put_paths(archive, paths)
    return path


def tamper(path: Path, *statements: str) -> None:
    """Change an archive behind its back."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """Mount a small file system of its own, which takes root on Linux."""
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if mount is None or umount is None or os.geteuid() != 0:
        pytest.skip("mounting a small file system takes root")
    folder.mkdir()
    mounted = subprocess.run(
        [mount, "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"this system does not let root mount: {mounted.stderr.decode()}")
    try:
        yield folder
    finally:
        subprocess.run([umount, "-l", folder], check=True)


def remount(folder: Path, mode: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{mode}", folder], check=True)
