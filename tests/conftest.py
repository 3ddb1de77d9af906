"""As many workers as cores run the tests: each computes with one thread, and so do the processes that it starts."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
