"""Keeps what a process has in memory out of core dumps: a decoder that crashes must not write the picture to a disk."""

from __future__ import annotations

import ctypes
import resource
import sys
from typing import Final

_SET_DUMPABLE: Final = 4
"""``PR_SET_DUMPABLE`` of prctl(2)."""


def keep_out_of_dumps() -> None:
    """From now on a crash of this process leaves no copy of its memory, by whatever way the system takes one.

    The limit alone does not count where the kernel hands dumps to a program (core(5)), so on Linux the process also
    says that it may not be dumped. Then no other process of the same user may read its memory either.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_DUMPABLE, 0, 0, 0, 0)
