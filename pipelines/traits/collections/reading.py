"""Reading a collection: every image looked at, by several threads, with the same result for any number of them.

Threads, not processes: Pillow and SHA-256 release the interpreter's lock while they work, and nothing has to be
started or sent. A JPEG of 2400 x 1800 takes 10.3 ms of a core, one of 512 x 512 2.4 ms, of which 1.2 and 0.8 ms need
the lock. On two busy cores, of pictures of 64 x 64, where the lock matters most, two threads did 1,830 a second and two
processes 1,870; of 100 large ones processes did a third as many as threads, for their start.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from pipelines.traits.collections.duplicates import Prints
from pipelines.traits.collections.duplicates import near_duplicates as find_near_duplicates
from pipelines.traits.collections.headers import quiet
from pipelines.traits.collections.inspecting import Inspected, inspect_image
from pipelines.traits.collections.layouts import Candidate, Contents, Layout, contents
from pipelines.traits.collections.scans import Alike, CollectionError, Converted, Quarantined, Reason, Scan
from pipelines.traits.collections.tables import SUFFIXES
from pipelines.traits.collections.terms import contradict, stated_licence, taxon
from pipelines.traits.collections.walking import walk
from pipelines.traits.specimens import RANKS, Specimen, Taxon

Progress = Callable[[int, int], None]
"""Is told how many images were looked at, and of how many."""

_BATCH = 8
_NOTHING: dict[str, str] = {}


def read_collection(
    root: Path,
    *,
    workers: int | None = None,
    progress: Progress | None = None,
    layout: Layout | str | None = None,
    follow_links: bool = False,
    near_duplicates: bool = True,
    licence: str | None = None,
) -> Scan:
    """Look at every image of a folder.

    Pictures are decoded one at a time for each worker and not kept: what grows with the collection is what is known of
    each image; fingerprints, 574 bytes each, lie in a temporary file.

    Args:
        root: the folder.
        workers: threads; as many as there are cores to run on if not given.
        progress: called in this thread.
        layout: see :class:`Layout`; recognised if not given.
        follow_links: whether links may lead out of the folder.
        near_duplicates: whether near duplicates are looked for.
        licence: of images that have no statement of their own; without it what a licence file of the folder says.

    Raises:
        CollectionError: the folder is missing or unreadable, holds no image, or is not of the layout named.
    """
    named = _layout(layout)
    found = walk(Path(root), follow_links=follow_links, table_suffixes=SUFFIXES)
    inside = contents(Path(root), found, named)
    if not inside.candidates and not inside.quarantined:
        raise CollectionError(
            "holds no images", where=str(root), mend="Name the folder that the images, or folders of images, lie in"
        )
    pool = workers or len(os.sched_getaffinity(0))
    with quiet, Prints() as prints:
        inspected = _inspect(Path(root), inside.candidates, pool, progress)
        scan = _scan(inside, inspected, licence or found.licence, prints if near_duplicates else None)
    scan.ignored = {name: found.ignored[name] for name in sorted(found.ignored) if found.ignored[name]}
    return scan


def _layout(layout: Layout | str | None) -> Layout | None:
    try:
        return Layout(layout) if layout is not None else None
    except ValueError:
        known = ", ".join(Layout)
        raise CollectionError(f"there is no layout {layout!r}", mend=f"Name one of {known}") from None


def _inspect(root: Path, candidates: list[Candidate], workers: int, progress: Progress | None) -> Iterator[Inspected]:
    done = 0
    with ThreadPoolExecutor(workers, thread_name_prefix="collection") as pool:
        try:
            for part in _ordered(pool, root, candidates, 4 * workers):
                done += len(part)
                yield from part
                if progress:
                    progress(done, len(candidates))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _ordered(
    pool: ThreadPoolExecutor, root: Path, candidates: list[Candidate], ahead: int
) -> Iterator[list[Inspected]]:
    """Results in the order of the candidates, never more than ``ahead`` batches under way."""
    waiting: deque[Future[list[Inspected]]] = deque()
    for start in range(0, len(candidates), _BATCH):
        sources = [candidate.source for candidate in candidates[start : start + _BATCH]]
        waiting.append(pool.submit(lambda sources: [inspect_image(root, source) for source in sources], sources))
        if len(waiting) >= ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _scan(inside: Contents, inspected: Iterator[Inspected], collection_licence: str, prints: Prints | None) -> Scan:
    scan = Scan(inside.layout.value, inside.said, quarantined=list(inside.quarantined))
    specimens: dict[int, Specimen] = {}
    converted: dict[int, str] = {}
    taxa: dict[tuple[str, ...], Taxon] = {}
    for at, (candidate, image) in enumerate(zip(inside.candidates, inspected, strict=True)):
        if inside.has_rows and not candidate.has_row:
            scan.images_without_row.append(candidate.source)
        if prints is not None:
            prints.add(image.fingerprint)
        if image.converted:
            converted[at] = image.converted
        if image.reason is not None:
            scan.quarantined.append(Quarantined.because(candidate.source, image.reason, image.what))
        else:
            specimens[at] = _specimen(candidate, image, collection_licence, taxa)
    kept = _without_copies(specimens, inside.candidates, scan)
    if prints is not None:
        kept = _without_near_copies(kept, prints, scan)
    scan.specimens = [kept[at] for at in sorted(kept)]
    scan.converted = [Converted(kept[at].source, how) for at, how in sorted(converted.items()) if at in kept]
    scan.quarantined.sort(key=lambda item: (item.source, item.reason.value, item.detail))
    scan.rows_without_image = inside.rows_without_image
    scan.rows_without_image_count = inside.rows_without_image_count
    scan.recognised = f"{inside.said}; {_taxa(scan.specimens)}"
    return scan


def _specimen(
    candidate: Candidate, image: Inspected, collection_licence: str, taxa: dict[tuple[str, ...], Taxon]
) -> Specimen:
    """What is known of an image; ``taxa`` keeps one object of each taxon, whatever the number of its images."""
    terms = image.terms | candidate.row
    named = taxon(candidate.names)
    return Specimen(
        id=image.id,
        source=candidate.source,
        taxon=taxa.setdefault((*named.names, *named.names.values()), named),
        width=image.width,
        height=image.height,
        licence=stated_licence(candidate.row) or stated_licence(image.terms) or collection_licence,
        terms={name: terms[name] for name in sorted(terms)} if terms else _NOTHING,
    )


def _without_copies(specimens: dict[int, Specimen], candidates: list[Candidate], scan: Scan) -> dict[int, Specimen]:
    """One of each group of equal files: that of which most is known; none where their names contradict each other."""
    groups: dict[str, list[int]] = {}
    for at, specimen in specimens.items():
        groups.setdefault(specimen.id, []).append(at)
    kept: dict[int, Specimen] = {}
    for group in groups.values():
        best = max(group, key=lambda at: (len(specimens[at].taxon.names), candidates[at].has_row, -at))
        against = next((pair for pair in _contradictions(group, specimens)), None)
        if against is None:
            kept[best] = specimens[best]
        for at in group:
            if against is not None:
                other = next(o for o in against if o != at)
                what = f"the same file is {specimens[other].source} ({specimens[other].taxon.name})"
                scan.quarantined.append(Quarantined.because(specimens[at].source, Reason.CONTRADICTORY, what))
            elif at != best:
                what = f"the same file is {specimens[best].source}, which is used"
                scan.quarantined.append(Quarantined.because(specimens[at].source, Reason.DUPLICATE, what))
    return kept


def _contradictions(group: list[int], specimens: dict[int, Specimen]) -> Iterator[tuple[int, int]]:
    """Pairs of a group that contradict each other: looked for rank by rank, not pair by pair."""
    for rank in RANKS:
        first: int | None = None
        for at in group:
            name = specimens[at].taxon.at(rank)
            if name is None:
                continue
            if first is None:
                first = at
            elif name != specimens[first].taxon.at(rank):
                yield first, at


def _without_near_copies(kept: dict[int, Specimen], prints: Prints, scan: Scan) -> dict[int, Specimen]:
    """Of near duplicates the one with most pixels; both where their names contradict each other, and that is said."""
    order = sorted(kept, key=lambda at: (-kept[at].width * kept[at].height, -len(kept[at].taxon.names), at))
    dropped, both = find_near_duplicates(prints, order, lambda one, two: contradict(kept[one].taxon, kept[two].taxon))
    for at, (best, distance) in dropped.items():
        what = f"it looks like {kept[best].source}, which is used (distance {distance:.3f})"
        scan.quarantined.append(Quarantined.because(kept[at].source, Reason.NEAR_DUPLICATE, what))
    alike = []
    for one, two, distance in both:
        first, second = sorted((kept[one].source, kept[two].source))
        alike.append(Alike(first, second, round(distance, 3)))
    scan.alike = sorted(alike, key=lambda pair: (pair.source, pair.other))
    return {at: specimen for at, specimen in kept.items() if at not in dropped}


def _taxa(specimens: Sequence[Specimen]) -> str:
    """How many taxa there are at each rank, in words."""
    parts = []
    for rank, many in zip(
        RANKS, ("kingdoms", "phyla", "classes", "orders", "families", "genera", "species"), strict=True
    ):
        count = len({specimen.taxon.at(rank) for specimen in specimens} - {None})
        if count:
            parts.append(f"{count:,} {rank if count == 1 else many}")
    unknown = sum(not specimen.taxon.names for specimen in specimens)
    if unknown:
        parts.append(f"{unknown:,} of unknown taxon")
    return ", ".join(parts) or "no usable image"
