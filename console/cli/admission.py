"""What is looked at before a person is asked to approve a run: whether it could begin at all."""

from __future__ import annotations

import getpass
import os

from protocols.errors import InputError, LeaseError
from robots.execution.home import Home
from robots.execution.lease import Lease
from robots.execution.standing import open_run_on

_LONGEST_NAME = 200


def require_free(home: Home, workcell: str) -> None:
    """Make sure that a new run may begin on a workcell now.

    Raises:
        LeaseError: a process holds it, or a run began there and has not ended.
    """
    Lease(home.workcell(workcell) / "lease", "a new run").close()
    run = open_run_on(home, workcell)
    if run is not None:
        raise LeaseError(
            f"run {run} began on this workcell and has not ended, so no other can begin",
            where=workcell,
            mend=f"Go on with it (`labwright runs resume {run}`) or give it up (`labwright runs abandon {run}`)",
        )


def user_name() -> str:
    """Who is logged in; by number where the account has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"


def require_name(approver: str | None) -> None:
    """Make sure that whoever approves has a name, if anyone does.

    Raises:
        InputError: the name is empty or endless.
    """
    if approver is None:
        return
    if not approver.strip():
        raise InputError("--approve: whoever approves needs a name", mend="Write it like --approve 'Ada Lovelace'")
    if len(approver) > _LONGEST_NAME or not approver.isprintable():
        raise InputError(f"--approve: a name is one line of at most {_LONGEST_NAME} characters")
