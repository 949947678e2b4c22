"""Write `src/sememe/data/golden.json`: what the golden codes decode to with every shipped profile.

Run once when a profile is released, never to make a failing selftest pass: a digest that changes under an
unchanged profile means that codes written before are read otherwise now.

    GENERATE_GOLDEN=1 python recipes/golden.py
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from sememe import profile
from sememe.api.golden import digests

TARGET = Path(profile.__file__).parents[1] / "data" / "golden.json"


def main() -> int:
    """Compare, or write if told to."""
    found = {name: digests(profile.load(name)) for name in profile.available()}
    text = json.dumps(found, indent=2) + "\n"
    if os.environ.get("GENERATE_GOLDEN") == "1":
        TARGET.write_text(text, "utf-8")
        print(f"{TARGET}: {len(found)} profiles")
        return 0
    same = TARGET.exists() and TARGET.read_text("utf-8") == text
    print("unchanged" if same else "differs; set GENERATE_GOLDEN=1 to write it")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
