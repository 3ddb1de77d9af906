"""What all tests share: one thread for each worker, and folders in memory."""

import os
import shutil
from pathlib import Path

MEMORY = Path("/dev/shm")
ROOM = 2 * 1024**3
"""bytes that must be free in memory."""

os.environ.setdefault("OMP_NUM_THREADS", "1")
"""As many workers as cores run the tests: each computes with one thread, and so do the processes that it starts."""

if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
    # A run waits for the disk at every event, and thousands of runs for a busy one.
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))
