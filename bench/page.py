"""How fast `sememe serve` answers: alone, at a step of the slider, and with many people at once.

The archive holds random codes: random bytes decode to vectors that the profile expects, so its pictures are
as unlike one another as real ones. The server is the command itself in a process of its own, asked over
loopback; whoever asks shares the machine with it.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

import output
from sememe import api
from sememe.api.identity import for_archive
from sememe.archive import Archive, NewItem
from sememe.web import Client
from sememe.zeroshot import EVERYDAY

NBYTES = 16
SEARCHES, REPEATS = 150, 30
SLICE = 65_536
CALM = 2.0  # seconds without work before something is measured


def main() -> None:
    """Make an archive, serve it, ask."""
    parser = output.parser(__doc__)
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20.0, help="how long all of them ask")
    parser.add_argument("--profile", default="nano")
    args = parser.parse_args()
    others = round(os.getloadavg()[0], 1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "many.sems"
        make(path, args.images, args.profile)
        output.emit({"load_of_others": others, **measure(path, args)}, args.output)


def make(path: Path, images: int, profile: str) -> None:
    """Write an archive of random codes."""
    rng = np.random.default_rng(0)
    with Archive.create(path, for_archive(api.load(profile).profile), NBYTES) as archive:
        for start in range(0, images, SLICE):
            rows = range(start, min(start + SLICE, images))
            items = [NewItem(f"photos/{row // 1000:04}/IMG_{row:07}.jpg") for row in rows]
            archive.put(items, rng.integers(0, 256, (len(rows), NBYTES), np.uint8))


def measure(path: Path, args: argparse.Namespace) -> dict[str, Any]:
    """Ask one server all questions."""
    queries = unlike(np.random.default_rng(1))
    with served(path) as (url, pid):
        started = time.monotonic()
        client = Client(url, timeout=600)
        cold = timed(lambda: client.search(next(queries)))
        while not (about := client.about())["ready"]:
            time.sleep(1)
        prepared = time.monotonic() - started
        time.sleep(CALM)
        shorter = about["rates"][:-1]
        found = {
            "images": about["images"],
            "nbytes": NBYTES,
            "very_first_search_s": round(cold, 2),
            "prepared_s": round(prepared, 1),
            "first_results_ms": spread(timed(lambda: client.search(next(queries))) for _ in range(SEARCHES)),
            "slider_step_ms": spread(step(client, next(queries), n) for n in shorter * REPEATS),
            "browse_ms": spread(timed(client.browse) for _ in range(REPEATS)),
            "explain_ms": spread(timed(partial(client.explain, i)) for i in range(REPEATS)),
        }
        before = processor_seconds(pid)
        together = asyncio.run(ask_together(url, args.users, args.seconds, queries))
        spent = processor_seconds(pid) - before
        together["processor_ms_per_search"] = round(1e3 * spent / together["searches"], 1)
        return found | {"together": together, "server_megabytes": peak_megabytes(pid)}


def step(client: Client, query: str, nbytes: int) -> float:
    """Move the slider: a query that was answered at full length is asked again with fewer bytes."""
    client.search(query)
    return timed(lambda: client.search(query, nbytes=nbytes))


async def ask_together(url: str, users: int, seconds: float, queries: Iterator[str]) -> dict[str, Any]:
    """Let each user ask one query after the other, all of them different, for some seconds."""
    waits: list[float] = []
    errors = 0
    host, port = url.removeprefix("http://").split(":")
    until = time.perf_counter() + seconds

    async def user() -> None:
        nonlocal errors
        reader, writer = await asyncio.open_connection(host, int(port))
        while (started := time.perf_counter()) < until:
            path = f"/api/search?q={quote(next(queries))}"
            writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            body = await reader.readexactly(int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]))
            waits.append(time.perf_counter() - started)
            errors += not head.startswith(b"HTTP/1.1 200") or not body.startswith(b"{")
        writer.close()

    started = time.perf_counter()
    done = await asyncio.gather(*(user() for _ in range(users)), return_exceptions=True)
    took = time.perf_counter() - started
    broken = sum(isinstance(one, BaseException) for one in done)
    p50, p99 = 1e3 * np.percentile(waits, [50, 99])
    return {
        "users": users,
        "seconds": round(took, 1),
        "searches": len(waits),
        "searches_per_s": round(len(waits) / took, 1),
        "errors": errors + broken,
        "ms": output.rounded({"median": p50, "p99": p99, "max": 1e3 * max(waits)}, 0),
    }


def unlike(rng: np.random.Generator) -> Iterator[str]:
    """Give queries that nobody asked before."""
    for number in itertools.count():
        yield f"{rng.choice(EVERYDAY)} and {rng.choice(EVERYDAY)} {number}"


def timed(ask: Callable[[], object]) -> float:
    """Wall clock of one call in seconds."""
    started = time.perf_counter()
    ask()
    return time.perf_counter() - started


def spread(seconds: Iterable[float]) -> dict[str, float]:
    """Median, 95th percentile and maximum, in milliseconds."""
    found = 1e3 * np.array(list(seconds))
    p50, p95 = np.percentile(found, [50, 95])
    return output.rounded({"median": p50, "p95": p95, "max": found.max()}, 1)


@contextmanager
def served(path: Path) -> Iterator[tuple[str, int]]:
    """Run the command, and give its address and its process."""
    command = [sys.executable, "-m", "sememe", "serve", str(path), "--port", "0", "--rate", "0", "-q"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip().rstrip("/"), server.pid
        finally:
            server.terminate()


def processor_seconds(pid: int) -> float:
    """Time on any processor that a process took so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_megabytes(pid: int) -> int:
    """Largest memory that a process had, as Linux counts it."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1000 for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    main()
