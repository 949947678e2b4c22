"""Kill writers at random moments, operation by operation, and count what was lost: nothing may be.

The killers are those of the tests (`tests/*_killer.py`); each checks after every kill that the archive opens,
that `verify` finds nothing and that everything acknowledged is there, and ends with an error if not.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import output

TESTS = Path(__file__).resolve().parents[1] / "tests"

KILLERS = {
    "archive_killer": {"kills": "commit (put, replace)", "makers": "create and truncate"},
    "compact_killer": {"kills": "put, remove, merge, compact"},
    "fault_killer": {
        "encode": "encode pictures, resumed",
        "import": "import vectors, resumed",
        "index": "build and renew the search cache",
    },
}
"""Of each killer, where its answer counts kills, and of what."""


def main() -> None:
    """Run all killers and write what they counted."""
    parser = output.parser(__doc__)
    parser.add_argument("--kills", type=int, default=40, help="kills of each killer's operation")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    started, kills, done = time.monotonic(), dict[str, int](), dict[str, Any]()
    for killer, counted in KILLERS.items():
        told = run(killer, args.kills, args.seed)
        output.note(f"{killer}: {told}")
        for key, name in counted.items():
            kills[name] = told[key]["kills"] if isinstance(told[key], dict) else told[key]
        done[killer] = told
    output.emit(
        {
            "kills": kills,
            "total": sum(kills.values()),
            "acknowledged_and_lost": 0,  # a killer that finds one ends with an error, and so does this
            "seconds": round(time.monotonic() - started),
            "details": done,
        },
        args.output,
    )


def run(killer: str, kills: int, seed: int) -> dict[str, Any]:
    """Run a killer in a process of its own, which may fork; raise if it found anything lost or damaged."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, f"{killer}.py", folder, str(kills), str(seed)]
        done = subprocess.run(command, cwd=TESTS, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"faults.py: {killer} found a loss, or failed itself:\n{done.stderr}")
    told: dict[str, Any] = json.loads(done.stdout)
    return told


if __name__ == "__main__":
    main()
