"""Plays a script for pylabrobot with nothing behind it: no machine, no waiting, nobody at the keyboard.

Lives in the isolated process. pylabrobot's ``LiquidHandler`` is the recording one; every backend is a stand-in that
connects to nothing; sleeping and asking become instructions.
"""

from __future__ import annotations

import asyncio
import builtins
import inspect
import json
import os
import runpy
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from opentrons_shared_data.load import get_shared_data_root
from pylabrobot.machines.backend import MachineBackend

from robots.sources.notebook import Notebook

USUAL_CHANNELS = 8
"""Of a liquid handler whose backend does not say how many it has."""


def play(script: Path, result: Path) -> None:
    """Run ``script``, write down in ``result`` what it did, and end this process."""
    notebook = Notebook(script)
    _stand_ins(notebook)
    _replace(notebook)
    _replace_time(notebook)
    try:
        names = runpy.run_path(str(script), run_name="__main__")
        main = names.get("main")
        if not notebook.begun and inspect.iscoroutinefunction(main) and not inspect.signature(main).parameters:
            asyncio.run(main())
    except BaseException as error:
        _tell(notebook, error)
    notebook.save(result)
    sys.stdout.flush()
    os._exit(0)  # whatever the script left running


def _tell(notebook: Notebook, error: BaseException) -> None:
    """Write down why the script ended early; a refusal is written down already."""
    if isinstance(error, SystemExit) and error.code in (None, 0):
        return
    seen: BaseException | None = error
    while seen is not None:
        if hasattr(seen, "written_down"):
            return
        seen = seen.__cause__ or seen.__context__
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(notebook.script)]
    what = "".join(traceback.format_exception_only(error)).strip()
    notebook.error = {"what": what[:600], "line": lines[-1] if lines else None}


def _stand_ins(notebook: Notebook) -> None:
    """From now on every backend that pylabrobot defines connects to nothing, and its calls are written down as lost."""

    def defined(cls: Any, /, **words: Any) -> None:
        super(MachineBackend, cls).__init_subclass__(**words)
        if cls.__module__.startswith("pylabrobot.") and cls.__name__ != "LiquidHandlerBackend":
            _disconnect(cls, notebook)

    MachineBackend.__init_subclass__ = classmethod(defined)


def _disconnect(backend: Any, notebook: Notebook) -> None:
    def begin(self: Any, *args: Any, **kwargs: Any) -> None:
        MachineBackend.__init__(self)
        channels = kwargs.get("num_channels", args[0] if args else None)
        self.stand_in_channels = channels if isinstance(channels, int) else USUAL_CHANNELS

    def lost(name: str) -> Callable[..., Any]:
        async def call(self: Any, *args: Any, **kwargs: Any) -> None:
            if name not in ("setup", "stop"):
                notebook.lose(f"{type(self).__name__}.{name}", "the machine is not followed")

        return call

    backend.__init__ = begin
    for name, value in list(vars(backend).items()):
        if inspect.iscoroutinefunction(value) and not getattr(value, "__isabstractmethod__", False):
            setattr(backend, name, lost(name))
    if "num_channels" in vars(backend):
        backend.num_channels = property(lambda self: self.stand_in_channels)


def _replace(notebook: Notebook) -> None:
    """Put the recording handler in the place of pylabrobot's, and the installed definitions in that of the web's."""
    import pylabrobot.liquid_handling
    import pylabrobot.liquid_handling.liquid_handler
    from pylabrobot.resources.opentrons import load

    from robots.sources.recorder import recording_handler

    handler = recording_handler(notebook, lambda backend: getattr(backend, "stand_in_channels", USUAL_CHANNELS))
    pylabrobot.liquid_handling.LiquidHandler = handler
    pylabrobot.liquid_handling.liquid_handler.LiquidHandler = handler
    load._download_ot_resource_file = _definition


def _replace_time(notebook: Notebook) -> None:
    """Sleeping takes no time and becomes a wait; asking becomes a question to a person."""
    real_sleep, real_time_sleep = asyncio.sleep, time.sleep

    async def sleep(delay: float, result: Any = None) -> Any:
        if not _from_script(notebook) or delay <= 0:
            return await real_sleep(delay, result)
        notebook.write("wait", seconds=float(delay))
        return await real_sleep(0, result)

    def time_sleep(seconds: float) -> None:
        if _from_script(notebook) and seconds > 0:
            notebook.write("wait", seconds=float(seconds))
        else:
            real_time_sleep(seconds)

    def ask(prompt: object = "") -> str:
        notebook.write("ask_person", message=str(prompt).strip()[:4000] or "Go on?")
        return ""

    asyncio.sleep = sleep
    time.sleep = time_sleep  # type: ignore[assignment]
    builtins.input = ask


def _from_script(notebook: Notebook) -> bool:
    """Whether the script itself, and nothing that it calls, calls the function that asks this."""
    caller = sys._getframe(2)
    return caller.f_code.co_filename == str(notebook.script)


def _definition(ot_name: str, force_download: bool) -> Any:
    """An Opentrons labware definition from the installed library, in place of the web."""
    file = get_shared_data_root() / "labware" / "definitions" / "2" / ot_name / "1.json"
    return json.loads(file.read_text(encoding="utf-8"))
