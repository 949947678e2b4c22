"""Models on this machine: found, fetched, checked, in the layout that the whole ecosystem shares.

::

    explicit path ─► $SEMEME_HOME/hub ─► hub cache ─► download     locate() walks it, pull() ends it
    models--ORG--NAME/{blobs,refs,snapshots}                       what huggingface_hub reads and writes
    models--ORG--NAME/sememe.lock.json                             commit and SHA-256 of every file, pinned

No other library is needed. A name, a size or a hash from the network is believed by nobody before it is
checked; offline, no socket is opened.
"""

from __future__ import annotations

from sememe.hub.checking import FileCheck, verify
from sememe.hub.finding import Installed, find, installed, locate
from sememe.hub.pulling import pull
from sememe.hub.removing import Removed, remove
from sememe.hub.source import Source

__all__ = [
    "FileCheck",
    "Installed",
    "Removed",
    "Source",
    "find",
    "installed",
    "locate",
    "pull",
    "remove",
    "verify",
]
