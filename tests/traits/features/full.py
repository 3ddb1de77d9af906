"""A program whose files may not grow beyond a limit, as on a full disk; prints each error. Run by the tests."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from pipelines.traits.features import Activations, write_activations
from protocols.errors import RecordError
from tests.traits.features.plain import Plain, contents, images

if __name__ == "__main__":
    work = Path(sys.argv[1])
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    write_activations(Plain(), images(20), work / "whole", shard_images=1).verify()
    whole = contents(work / "whole")
    for name in ("000000.bin", "000000.json", "activations.json"):  # each larger than those before it
        folder = work / name
        limit = len(whole[name]) - 1
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
        try:
            write_activations(Plain(), images(20), folder, shard_images=1)
        except RecordError as error:
            print(f"ERROR {error}")
        print("LEFT", *contents(folder))
        try:
            Activations.open(folder)
            print("WHOLE")
        except RecordError:
            print("NOT WHOLE")
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        write_activations(Plain(), images(20), folder, shard_images=1).verify()
        print("SAME" if contents(folder) == whole else "OTHER")
