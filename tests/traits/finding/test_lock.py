"""One process at a time works in a folder, and a killed one does not keep it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.traits.finding.lock import locked
from protocols.errors import LeaseError

HOLD = """
import sys, time
from pathlib import Path
from pipelines.traits.finding.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.mark.slow
@pytest.mark.kill
def test_a_second_one_is_refused_until_the_first_is_killed(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    with holder.stdout:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LeaseError) as refused, locked(tmp_path):
            pass
        assert f"process {holder.pid}" in str(refused.value)
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
    with locked(tmp_path), pytest.raises(LeaseError), locked(tmp_path):
        pass
    with locked(tmp_path):
        pass
