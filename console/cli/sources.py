"""Files of Python: run in isolation, and turned into what the other commands read."""

from __future__ import annotations

from pathlib import Path

from console.cli.groups import PlanOptions, PythonOptions
from console.cli.imported import Scripted
from console.cli.planning import read_file
from protocols.errors import InputError
from protocols.formats.protocol_file import Input
from robots.execution.home import Home
from robots.sources.baggage import SourceOptions


def read_any(file: Path, options: PlanOptions, python: PythonOptions, home: Home) -> Input:
    """What stands in ``file``, be it data or a protocol in Python.

    Raises:
        InputError: the file, its Python or an option cannot be used.
    """
    if file.suffix.lower() != ".py":
        return read_file(file, options)
    from robots.sources.kinds import kind_of_source, read_source

    if kind_of_source(read_source(file), file) == "pylabrobot":
        from robots.sources.pylabrobot_script import import_script

        script = import_script(file, home, source_options(python))
        return Scripted(file, program=script.imported.program, script=script)
    from robots.sources.opentrons import analyse

    return read_file(analyse(file, home, source_options(python)), options)


def source_options(options: PythonOptions) -> SourceOptions:
    """The options as the floor below takes them.

    Raises:
        InputError: a parameter is not NAME=VALUE, or a file is not there.
    """
    parameters: dict[str, str] = {}
    for text in options.parameter:
        name, equals, value = text.partition("=")
        if not (equals and name.strip().isidentifier()):
            raise InputError(f"--parameter: '{text}' is not NAME=VALUE", mend="Write it like 'samples=24'")
        parameters[name.strip()] = value.strip()
    for path in options.beside:
        if not path.exists():
            raise InputError("--with: there is no such file or folder", where=str(path))
    return SourceOptions(tuple(options.beside), parameters, options.time_limit, options.trust_source)
