"""What a run did."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple


class Failure(NamedTuple):
    """One input that has no code, and why."""

    path: str
    error: str


@dataclass(frozen=True, slots=True)
class Report:
    """Inputs by what became of them."""

    new: int
    changed: int
    unchanged: int
    """Same time and size, or touched with the same content: not encoded again."""
    failed: tuple[Failure, ...]
    bytes: int
    """Bytes of code that this run made."""
    seconds: float

    @property
    def images(self) -> int:
        """Inputs that have a code now."""
        return self.new + self.changed + self.unchanged

    @property
    def encoded(self) -> int:
        """Images that this run encoded."""
        return self.new + self.changed

    def to_json(self) -> dict[str, Any]:
        """Return ``{"new", "changed", "unchanged", "failed": [{"path", "error"}], "bytes", "seconds"}``."""
        fields = asdict(self) | {"failed": [failure._asdict() for failure in self.failed]}
        return fields | {"seconds": round(self.seconds, 3)}
