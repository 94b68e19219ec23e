"""`wusum` commands in processes of their own, and the memory that these take."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

POLL_SECONDS = 0.05
"""Time between two samples of the memory."""


def run_command(arguments: Sequence[str]) -> float:
    """Run a `wusum` command to its end and return the peak memory, MiB, of its processes.

    Memory that processes share counts once for each. Raises RuntimeError if the command fails.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", "from wusum.model.cli import main; main()", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, sum(map(_resident, _family(process.pid))))
        time.sleep(POLL_SECONDS)
    if process.returncode:
        raise RuntimeError(f"wusum {' '.join(arguments)}: exit status {process.returncode}")
    return peak


def _family(process: int) -> list[int]:
    """Return a process and all its descendants; without /proc, the process alone."""
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii").split()
    except OSError:
        return [process]
    return [process, *(member for child in children for member in _family(int(child)))]


def _resident(process: int) -> float:
    """Return the resident memory, MiB, of a process; 0 if it has ended."""
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
