"""Pictures drawn from codes for the inspector: each says, in pixels and metadata, that it is drawn."""

from __future__ import annotations

import io
import time
from collections import OrderedDict

from sememe import generate
from sememe.api import generating
from sememe.errors import InputError, MissingExtraError, ModelUnavailableError, UsageError
from sememe.generate import Generator
from sememe.web.state import State

__all__ = ["Drawer"]

_KEPT = 64  # drawings in memory, some 100 kB each
_SECONDS = 25.0  # that one may take
_EVIDENCE = "not evidence"


class Drawer:
    """Draws with the generator of the archive's space, if there is one on this machine.

    Parameters
    ----------
    state
        Of the archive that is served; its space never changes.
    """

    def __init__(self, state: State) -> None:
        self._generator = _find(state.codec.profile.space_id)
        self._kept: OrderedDict[tuple[bytes, int], bytes] = OrderedDict()

    @property
    def name(self) -> str | None:
        """Id of the generator; None if there is none."""
        return None if self._generator is None else self._generator.generator_id

    def draw(self, state: State, code: bytes, seed: int) -> bytes:
        """Draw a picture that could have given a code, as PNG. To be called by one thread at a time.

        Raises
        ------
        InputError
            There is no generator.
        ModelUnavailableError
            It takes longer than anybody waits.
        """
        if self._generator is None:
            raise InputError("there is no generator for these codes on this machine")
        key = (code, seed)
        if key not in self._kept:
            self._kept[key] = self._drawn(self._generator, state, code, seed)
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return self._kept[key]

    @staticmethod
    def _drawn(generator: Generator, state: State, code: bytes, seed: int) -> bytes:
        until = time.monotonic() + _SECONDS

        def watch(done: int, total: int) -> None:
            if time.monotonic() > until:
                raise ModelUnavailableError(f"drawing took longer than {_SECONDS:.0f} s and was given up")

        made = generating.generate(state.codec, code, generator, seed=seed, progress=watch)[0]
        file = io.BytesIO()
        labelled = generate.captioned(made.image, [f"{made.mark.sentence}: {_EVIDENCE}"])
        generate.save(labelled, file, [made.mark], form="PNG")
        return file.getvalue()


def _find(space_id: str) -> Generator | None:
    """Load the first generator that draws from a space and whose weights are here."""
    for name in generate.fitting(space_id):
        try:
            return generate.load(name)
        except (ModelUnavailableError, MissingExtraError, UsageError):
            continue
    return None
