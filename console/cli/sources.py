"""Files of Python: run in isolation, and turned into what the other commands read."""

from __future__ import annotations

from pathlib import Path

from console.cli.groups import PythonOptions
from protocols.errors import InputError
from robots.execution.home import Home
from robots.sources.baggage import SourceOptions


def as_data(file: Path, home: Home, options: PythonOptions) -> Path:
    """``file``, or where it is an Opentrons protocol in Python the JSON file of its analysis.

    Raises:
        InputError: it is Python and no protocol, its Python fails, or it cannot be run here.
    """
    if file.suffix.lower() != ".py":
        return file
    from robots.sources.kinds import kind_of_source, read_source
    from robots.sources.opentrons import analyse

    kind_of_source(read_source(file), file)
    return analyse(file, home, source_options(options))


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
