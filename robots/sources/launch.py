"""Begins a script for pylabrobot in an isolated process: ``python -I launch.py SCRIPT RESULT PACKAGES``.

``PACKAGES`` is the folder with Labwright's own packages. They are imported from there one by one, so that the folder
itself, which may hold anything else, need not be readable. Nothing of Labwright is imported before that.
"""

import importlib.util
import sys
from pathlib import Path


def main() -> None:
    """Import what is needed, then run the script and write down what it did."""
    script, result, packages = map(Path, sys.argv[1:4])
    sys.path.remove(str(Path(__file__).parent)) if str(Path(__file__).parent) in sys.path else None
    for name in ("protocols", "robots"):
        folder = packages / name
        found = importlib.util.spec_from_file_location(
            name, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        if found is None or found.loader is None:
            raise ImportError(name)
        package = importlib.util.module_from_spec(found)
        sys.modules[name] = package
        if (folder / "__init__.py").exists():
            found.loader.exec_module(package)
    from robots.sources.playing import play

    play(script, result)


if __name__ == "__main__":
    main()
