"""Hostile images: each is set aside with its reason, or read as a person would expect; the others go on."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from pipelines.traits.collections import CollectionError, Reason, Scan, open_image, read_collection, scans
from tests.traits.collections.pictures import archive, encoded, only, pixels, put, taxa


def png_header(width: int, height: int) -> bytes:
    """A PNG that promises many pixels and holds few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


def scanned(folder: Path, name: str, data: bytes) -> Scan:
    """The scan of two good images and the one in question."""
    put(folder / "Apis mellifera" / "good1.jpg", encoded(901))
    put(folder / "Apis mellifera" / "good2.jpg", encoded(902))
    put(folder / "Apis mellifera" / name, data)
    scan = read_collection(folder)
    assert {"Apis mellifera/good1.jpg", "Apis mellifera/good2.jpg"} <= set(taxa(scan))
    return scan


REFUSED: dict[str, tuple[Callable[[], bytes], Reason]] = {
    "zero-byte.jpg": (lambda: b"", Reason.EMPTY),
    "zeros.jpg": (lambda: bytes(5000), Reason.DAMAGED),
    "text.jpg": (lambda: b"Not found", Reason.NOT_AN_IMAGE),
    "page.png": (lambda: b"<!DOCTYPE html><title>404</title>", Reason.NOT_AN_IMAGE),
    "pointer.jpg": (lambda: b"version https://git-lfs.github.com/spec/v1\noid sha256:0", Reason.NOT_AN_IMAGE),
    "cut.jpg": (lambda: encoded(1, size=(400, 300))[:-2000], Reason.TRUNCATED),
    "cut.png": (lambda: encoded(1, "PNG", size=(400, 300))[:-3000], Reason.TRUNCATED),
    "cut.tif": (lambda: encoded(1, "TIFF")[:-2000], Reason.TRUNCATED),
    "cut.webp": (lambda: encoded(1, "WEBP", size=(400, 300))[:-500], Reason.DAMAGED),
    "head.jpg": (lambda: encoded(1)[:100], Reason.DAMAGED),
    "one.png": (lambda: encoded(1, "PNG", size=(1, 1)), Reason.TOO_SMALL),
    "thin.png": (lambda: encoded(1, "PNG", size=(500, 15)), Reason.TOO_SMALL),
    "bomb.png": (lambda: png_header(12_000, 12_000), Reason.TOO_MANY_PIXELS),
    "gigapixel.png": (lambda: png_header(40_000, 30_000), Reason.TOO_MANY_PIXELS),
    "heic.jpg": (lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100), Reason.UNSUPPORTED),
    "raw.nef": (lambda: encoded(1, "TIFF"), Reason.UNSUPPORTED),
    "script.jpg": (lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n(x) show\n", Reason.NOT_AN_IMAGE),
    "float.tif": (lambda: float_tiff(), Reason.UNSUPPORTED),
}


def float_tiff() -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.linspace(0, 1e6, 900, dtype=np.float32).reshape(30, 30)).save(stream, "TIFF")
    return stream.getvalue()


@pytest.mark.parametrize("name", REFUSED)
def test_an_image_that_cannot_be_used(tmp_path: Path, name: str) -> None:
    make, reason = REFUSED[name]
    scan = scanned(tmp_path, name, make())
    item = only(scan)
    assert (item.source, item.reason) == (f"Apis mellifera/{name}", reason)
    assert reason.mend in item.detail
    assert str(tmp_path) not in item.detail
    assert len(item.detail) < 300


def saved(image: Image.Image, form: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def image_of(folder: Path, name: str, data: bytes) -> tuple[NDArray[np.uint8], str]:
    """The pixels of one image of a collection, and what was done to them."""
    scan = scanned(folder, name, data)
    assert not scan.quarantined
    (specimen,) = [one for one in scan.specimens if one.source.endswith(name)]
    array = open_image(folder, specimen)
    assert array.shape == (specimen.height, specimen.width, 3)
    assert array.dtype == np.uint8
    assert array.flags["C_CONTIGUOUS"]
    return array, next((item.how for item in scan.converted if item.source == specimen.source), "")


def deep(bits: int, form: str, *, colour: bool = False, alpha: bool = False) -> tuple[bytes, NDArray[np.uint8]]:
    """A picture of ``bits`` bits in a file of 16, and the 8-bit picture that it should become."""
    eight = pixels(3) if colour else np.repeat(pixels(3)[:, :, :1], 3, axis=2)
    eight = eight.copy()
    eight[0, 0] = 255  # something in it is white
    most = (1 << bits) - 1
    values = np.rint(eight.astype(np.float64) * most / 255).astype(np.uint16)
    stored = values[:, :, ::-1] if colour else values[:, :, 0]
    if alpha:
        stored = np.dstack([stored, np.full(stored.shape[:2], 65535, np.uint16)])
    done, data = cv2.imencode(form, stored)
    assert done
    return data.tobytes(), eight


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("form", [".png", ".tif"])
def test_sixteen_bits_are_scaled(tmp_path: Path, bits: int, form: str, colour: bool) -> None:
    data, expected = deep(bits, form, colour=colour)
    array, how = image_of(tmp_path, f"x{form}", data)
    assert how == "16 bits scaled to 8"
    assert np.abs(array.astype(int) - expected).max() <= 1


def test_sixteen_bits_with_alpha(tmp_path: Path) -> None:
    data, expected = deep(16, ".png", colour=True, alpha=True)
    array, how = image_of(tmp_path, "x.png", data)
    assert how == "16 bits scaled to 8, transparency flattened on white"
    assert np.abs(array.astype(int) - expected).max() <= 1


def test_sixteen_bit_pgm(tmp_path: Path) -> None:
    data, expected = deep(16, ".pgm")
    array, _ = image_of(tmp_path, "x.pgm", data)
    assert np.abs(array.astype(int) - expected).max() <= 1


def test_thirty_two_bits_are_scaled_where_sixteen_would_do(tmp_path: Path) -> None:
    eight = np.repeat(pixels(3)[:, :, :1], 3, axis=2).copy()
    eight[0, 0] = 255
    data = saved(Image.fromarray(eight[:, :, 0].astype(np.int32) * 257), "TIFF")
    array, _ = image_of(tmp_path, "x.tif", data)
    assert np.abs(array.astype(int) - eight).max() <= 1
    data = saved(Image.fromarray(eight[:, :, 0].astype(np.int32) * 65536), "TIFF")
    assert only(scanned(tmp_path / "more", "y.tif", data)).reason is Reason.UNSUPPORTED


def test_truncated_sixteen_bits(tmp_path: Path) -> None:
    data, _ = deep(16, ".png", colour=True)
    assert only(scanned(tmp_path, "x.png", data[:-2000])).reason is Reason.TRUNCATED


def test_cmyk(tmp_path: Path) -> None:
    original = Image.fromarray(pixels(4)).convert("CMYK")
    array, how = image_of(tmp_path, "x.tif", saved(original, "TIFF"))
    assert how == "CMYK converted to RGB without a profile"
    assert np.abs(array.astype(int) - pixels(4)).max() <= 1
    array, _ = image_of(tmp_path / "other", "y.jpg", saved(original, "JPEG", quality=100))
    assert np.abs(array.astype(int) - pixels(4)).mean() < 3


def test_lab(tmp_path: Path) -> None:
    convert = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    original = ImageCms.applyTransform(Image.fromarray(pixels(4)), convert)
    assert original is not None
    array, how = image_of(tmp_path, "x.tif", saved(original, "TIFF"))
    assert how.startswith("Lab")
    assert np.abs(array.astype(int) - pixels(4)).mean() < 3


def test_palette_grey_and_bilevel(tmp_path: Path) -> None:
    source = Image.fromarray(pixels(5))
    for name, mode, form in [
        ("p.png", "P", "PNG"),
        ("l.png", "L", "PNG"),
        ("one.png", "1", "PNG"),
        ("p.gif", "P", "GIF"),
    ]:
        picture = source.convert(mode)
        array, how = image_of(tmp_path / name, name, saved(picture, form))
        assert how == ""
        assert np.array_equal(array, np.asarray(picture.convert("RGB")))


@pytest.mark.parametrize("kind", ["rgba", "palette", "grey", "colour key", "webp"])
def test_transparency_is_flattened_on_white(tmp_path: Path, kind: str) -> None:
    rgb = pixels(6).copy()
    alpha = np.zeros((36, 48), np.uint8)
    alpha[:, 24:] = 255
    if kind in ("rgba", "webp"):
        picture = Image.fromarray(np.dstack([rgb, alpha]))
        data = saved(picture, "WEBP", lossless=True, exact=True) if kind == "webp" else saved(picture, "PNG")
    elif kind == "grey":
        rgb[:] = rgb[:, :, :1]
        data = saved(Image.merge("LA", (Image.fromarray(rgb[:, :, 0].copy()), Image.fromarray(alpha))), "PNG")
    elif kind == "colour key":
        rgb[:, :24] = (1, 2, 3)
        data = saved(Image.fromarray(rgb), "PNG", transparency=(1, 2, 3))
    else:
        picture = Image.fromarray(np.where(alpha == 255, 1, 0).astype(np.uint8))
        picture = picture.convert("P")
        picture.putpalette([200, 0, 0, 10, 20, 30])
        rgb[:] = (10, 20, 30)
        data = saved(picture, "PNG", transparency=0)
    array, how = image_of(tmp_path, f"x.{'webp' if kind == 'webp' else 'png'}", data)
    assert how == "transparency flattened on white"
    assert (array[:, :24] == 255).all()
    assert np.array_equal(array[:, 24:], rgb[:, 24:])


@pytest.mark.parametrize(("form", "name"), [("GIF", "x.gif"), ("PNG", "x.png"), ("WEBP", "x.webp"), ("TIFF", "x.tif")])
def test_of_several_frames_the_first_is_taken(tmp_path: Path, form: str, name: str) -> None:
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("#ff0000", "#00ff00", "#0000ff")]
    lossless = {"lossless": True} if form == "WEBP" else {}
    array, how = image_of(tmp_path, name, saved(frames[0], form, save_all=True, append_images=frames[1:], **lossless))
    assert how.endswith("the first of 3 frames taken")
    assert np.abs(array.astype(int) - (255, 0, 0)).max() <= 2


@pytest.mark.parametrize("turned", range(1, 9))
@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_exif_orientation_comes_out_upright(tmp_path: Path, turned: int, form: str) -> None:
    upright = pixels(7)
    back = {2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
    stored = Image.fromarray(upright)
    if turned != 1:
        stored = stored.transpose(turns[back[turned]])
    exif = Image.Exif()
    exif[0x0112] = turned
    options = {"quality": 98, "subsampling": 0} if form == "JPEG" else {"lossless": True} if form == "WEBP" else {}
    array, how = image_of(tmp_path, f"x.{form.lower()}", saved(stored, form, exif=exif, **options))
    assert how == ""
    assert np.abs(array.astype(int) - upright).mean() < 2


def test_sixteen_bits_turned(tmp_path: Path) -> None:
    """The orientation of a 16-bit PNG: stored lying, to be turned to the right."""
    data, expected = deep(16, ".png", colour=True)
    lying = cv2.imencode(".png", np.rot90(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)))[
        1
    ].tobytes()
    exif = Image.Exif()
    exif[0x0112] = 6
    block = exif.tobytes().removeprefix(b"Exif\0\0")
    chunk = struct.pack(">I", len(block)) + b"eXIf" + block + struct.pack(">I", zlib.crc32(b"eXIf" + block))
    array, _ = image_of(tmp_path, "x.png", lying[:33] + chunk + lying[33:])
    assert np.abs(array.astype(int) - expected).max() <= 1


def test_what_the_file_itself_says_is_kept(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x8298] = "© A. Nonymous"
    exif[0x013B] = "A. Nonymous"
    exif.get_ifd(0x8769)[0x9003] = "2024:05:06 07:08:09"
    packet = b'<x:xmpmeta><cc:license rdf:resource="https://creativecommons.org/licenses/by/4.0/"/></x:xmpmeta>'
    put(tmp_path / "Apis" / "a.jpg", encoded(1, exif=exif, xmp=packet))
    (specimen,) = read_collection(tmp_path).specimens
    assert specimen.licence == "https://creativecommons.org/licenses/by/4.0/"
    assert specimen.terms["dcterms:creator"] == "A. Nonymous"
    assert specimen.terms["dcterms:rights"].endswith("A. Nonymous")
    assert specimen.terms["xmp:CreateDate"] == "2024:05:06 07:08:09"


def test_a_damaged_exif_block_does_not_lose_the_image(tmp_path: Path) -> None:
    data = encoded(8, exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\xff" * 40)
    array, _ = image_of(tmp_path, "x.jpg", data)
    assert array.shape == (36, 48, 3)


def test_links(tmp_path: Path) -> None:
    root, elsewhere = tmp_path / "in", tmp_path / "out"
    put(root / "Apis mellifera" / "a.jpg", encoded(1))
    put(elsewhere / "b.jpg", encoded(2))
    (root / "Apis mellifera" / "outside.jpg").symlink_to(elsewhere / "b.jpg")
    (root / "Apis mellifera" / "nowhere.jpg").symlink_to("no.jpg")
    (root / "Apis mellifera" / "itself.jpg").symlink_to("itself.jpg")
    (root / "Apis mellifera" / "up").symlink_to("..")
    (root / "Bombus terrestris").symlink_to(elsewhere)
    (root / "inside.jpg").symlink_to("Apis mellifera/a.jpg")
    scan = read_collection(root)
    assert list(taxa(scan)) == ["Apis mellifera/a.jpg"]
    assert {item.source: item.reason for item in scan.quarantined} == {
        "Apis mellifera/outside.jpg": Reason.OUTSIDE,
        "Apis mellifera/nowhere.jpg": Reason.BROKEN_LINK,
        "Apis mellifera/itself.jpg": Reason.LINK_LOOP,
        "Apis mellifera/up": Reason.LINK_LOOP,
        "Bombus terrestris": Reason.OUTSIDE,
        "inside.jpg": Reason.DUPLICATE,
    }
    followed = read_collection(root, follow_links=True)
    # b.jpg is under two names now, which contradict each other.
    reasons = {item.source: item.reason for item in followed.quarantined}
    assert reasons["Bombus terrestris/b.jpg"] is reasons["Apis mellifera/outside.jpg"] is Reason.CONTRADICTORY
    (root / "Apis mellifera" / "outside.jpg").unlink()
    followed = read_collection(root, follow_links=True)
    assert taxa(followed)["Bombus terrestris/b.jpg"]["genus"] == "Bombus"
    for specimen in followed.specimens:
        assert open_image(root, specimen).shape == (36, 48, 3)


def test_names_that_are_not_utf8_and_a_pipe(tmp_path: Path) -> None:
    put(tmp_path / "Apis" / "a.jpg", encoded(1))
    with open(os.fsencode(tmp_path) + b"/Apis/caf\xe9\n.jpg", "wb") as stream:
        stream.write(encoded(2))
    os.mkfifo(tmp_path / "Apis" / "pipe.jpg")
    scan = read_collection(tmp_path)
    assert list(taxa(scan)) == ["Apis/a.jpg"]
    assert [(item.source, item.reason) for item in scan.quarantined] == [
        ("Apis/caf\\xe9\\n.jpg", Reason.NOT_UTF8),
        ("Apis/pipe.jpg", Reason.NOT_A_FILE),
    ]


def test_what_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "Apis" / "a.jpg", encoded(1))
    closed = put(tmp_path / "Apis" / "b.jpg", encoded(2))
    folder = put(tmp_path / "Bombus" / "c.jpg", encoded(3)).parent
    closed.chmod(0)
    folder.chmod(0)
    if os.geteuid() == 0:  # permissions do not hold for root: the calls are made to fail instead
        genuine, listing = open, os.scandir

        def refusing(path: Any, *args: Any, **options: Any) -> Any:
            if str(path) == str(closed):
                raise PermissionError(13, "Permission denied", str(path))
            return genuine(path, *args, **options)

        def refusing_folder(path: Any) -> Any:
            if str(path) == str(folder):
                raise PermissionError(13, "Permission denied", str(path))
            return listing(path)

        monkeypatch.setattr("builtins.open", refusing)
        monkeypatch.setattr(os, "scandir", refusing_folder)
    scan = read_collection(tmp_path)
    monkeypatch.undo()
    folder.chmod(0o755)
    assert list(taxa(scan)) == ["Apis/a.jpg"]
    assert {item.source: item.reason for item in scan.quarantined} == {
        "Apis/b.jpg": Reason.UNREADABLE,
        "Bombus/": Reason.UNREADABLE,
    }


def test_hostile_archives(tmp_path: Path) -> None:
    archive(
        tmp_path / "a.tar",
        {
            "../../etc/x.jpg": encoded(1),
            "/abs.jpg": encoded(2),
            "ok.jpg": encoded(3),
            "ok.json": '{"species": "Apis mellifera"',
            "twice.jpg": encoded(4),
            "twice.txt": "Apis",
        },
    )
    with tarfile.open(tmp_path / "a.tar", "a") as tar:
        for kind, name in ((tarfile.SYMTYPE, "link.jpg"), (tarfile.CHRTYPE, "device.jpg"), (tarfile.DIRTYPE, "d.jpg")):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            tar.addfile(info)
        info = tarfile.TarInfo("twice.jpg")
        info.size = len(encoded(5))
        tar.addfile(info, io.BytesIO(encoded(5)))
    put(tmp_path / "b.tar.gz", b"\x1f\x8b")
    scan = read_collection(tmp_path)
    assert list(taxa(scan)) == ["a.tar::ok.jpg", "a.tar::twice.jpg"]
    assert {item.source: item.reason for item in scan.quarantined} == {
        "a.tar::../../etc/x.jpg": Reason.UNSAFE_NAME,
        "a.tar::/abs.jpg": Reason.UNSAFE_NAME,
        "a.tar::ok.json": Reason.BAD_ROW,
        "a.tar::link.jpg": Reason.NOT_A_FILE,
        "a.tar::device.jpg": Reason.NOT_A_FILE,
        "a.tar::twice.jpg": Reason.REPEATED_MEMBER,
        "b.tar.gz": Reason.UNSUPPORTED,
    }
    assert np.abs(open_image(tmp_path, scan.specimens[1]).astype(int) - pixels(4)).mean() < 9


@pytest.mark.parametrize(
    ("damage", "used", "said"),
    [
        (lambda data: data[: len(data) // 2], 2, "ends within"),
        (lambda data: data[: -2 * tarfile.RECORDSIZE], 0, ""),
        (lambda data: data[:512] + b"\xff" * 100 + data[612:], 0, ""),
        (lambda data: b"junk" * 1000, 0, "it is no tar archive"),
        (lambda data: b"", 0, "it is no tar archive"),
    ],
)
def test_damaged_archives(tmp_path: Path, damage: Callable[[bytes], bytes], used: int, said: str) -> None:
    put(tmp_path / "Apis" / "a.jpg", encoded(9))
    whole = archive(tmp_path / "a.tar", {f"{n}.png": encoded(n, "PNG", size=(100, 80)) for n in range(4)}).read_bytes()
    put(tmp_path / "a.tar", damage(whole))
    scan = read_collection(tmp_path)
    assert any(item.reason is not Reason.DUPLICATE and said in item.detail for item in scan.quarantined)
    assert len(scan.specimens) >= 1
    if used:
        assert len(scan.specimens) == 1 + used
        assert "the images before the damage are used" in only(scan).detail


def test_an_image_that_was_changed_since(tmp_path: Path) -> None:
    put(tmp_path / "Apis" / "a.jpg", encoded(1))
    archive(tmp_path / "s.tar", {"x.jpg": encoded(2)})
    loose, packed = read_collection(tmp_path).specimens
    put(tmp_path / "Apis" / "a.jpg", encoded(3))
    archive(tmp_path / "s.tar", {"y.jpg": encoded(2)})
    for specimen in (loose, packed):
        with pytest.raises(CollectionError, match="Scan the collection again"):
            open_image(tmp_path, specimen)
    (tmp_path / "Apis" / "a.jpg").unlink()
    with pytest.raises(CollectionError, match="cannot be read"):
        open_image(tmp_path, loose)


def test_a_source_that_leads_out_of_the_collection(tmp_path: Path) -> None:
    put(tmp_path / "in" / "a.jpg", encoded(1))
    put(tmp_path / "x.jpg", encoded(1))
    (specimen,) = read_collection(tmp_path / "in").specimens
    import dataclasses

    for source in ("../x.jpg", str(tmp_path / "x.jpg")):
        with pytest.raises(CollectionError, match="no path within the collection"):
            open_image(tmp_path / "in", dataclasses.replace(specimen, source=source))


def test_a_progressive_jpeg_of_a_thousand_scans(tmp_path: Path) -> None:
    """Each scan goes over the whole picture again: some kilobytes could keep a decoder busy for hours."""
    data = encoded(1, progressive=True)
    last = data.rindex(b"\xff\xda")
    item = only(scanned(tmp_path, "x.jpg", data[:last] + data[last:-2] * 1000 + b"\xff\xd9"))
    assert item.reason is Reason.DAMAGED
    assert "scans in a progressive JPEG" in item.detail
    assert image_of(tmp_path / "ordinary", "x.jpg", data)[0].shape == (36, 48, 3)


def test_a_file_far_longer_than_its_picture(tmp_path: Path) -> None:
    put(tmp_path / "Apis" / "a.jpg", encoded(1))
    os.truncate(put(tmp_path / "Apis" / "b.jpg", encoded(2)), 1 << 40)
    os.truncate(put(tmp_path / "Apis" / "c.jpg", b"no picture"), 1 << 40)
    scan = read_collection(tmp_path)
    assert list(taxa(scan)) == ["Apis/a.jpg"]
    assert [item.reason for item in scan.quarantined] == [Reason.TOO_LARGE, Reason.NOT_AN_IMAGE]


MEMORY = """
import sys
from pathlib import Path
from pipelines.traits.collections import read_collection
def most():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
before = most()
scan = read_collection(Path(sys.argv[1]), workers=4)
print(len(scan.specimens), len(scan.quarantined), (most() - before) // 1024)
"""


def megabytes(folder: Path) -> tuple[int, int, int]:
    """Specimens, quarantined, and by how many MB a process grows at most that reads the collection with 4 workers."""
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, str(folder)], capture_output=True, text=True, check=True, timeout=120
    )
    specimens, quarantined, grown = map(int, done.stdout.split())
    return specimens, quarantined, grown


@pytest.mark.slow
def test_bombs_and_gigapixels_take_no_memory(tmp_path: Path) -> None:
    put(tmp_path / "Apis" / "a.jpg", encoded(1))
    for number, size in enumerate([(40_000, 30_000), (60_000, 60_000), (11_000, 11_000), (2**31 - 1, 2**31 - 1)]):
        put(tmp_path / "Apis" / f"bomb{number}.png", png_header(*size))
    assert megabytes(tmp_path)[:2] == (1, 4)
    assert megabytes(tmp_path)[2] < 60


@pytest.mark.slow
def test_the_largest_images_are_decoded_one_at_a_time(tmp_path: Path) -> None:
    """Eight images of 60 million pixels by four workers: the memory of one, not of four."""
    lines = zlib.compress(bytes(1 + 3 * 10_000) * 6_000, 1)
    for number in range(8):
        data = png_header(10_000, 6_000)
        start = data.index(b"IDAT") - 4
        block = b"IDAT" + lines
        chunk = struct.pack(">I", len(lines)) + block + struct.pack(">I", zlib.crc32(block))
        put(
            tmp_path / "Apis" / f"{number}.png",
            data[:start] + chunk + data[data.index(b"IEND") - 4 :] + bytes([number]),
        )
    specimens, quarantined, grown = megabytes(tmp_path)
    assert (specimens, quarantined) == (8, 0)
    assert 200 < grown < 450  # 60 million pixels of 4 bytes are 229 MiB


def test_text_shown_has_no_control_characters() -> None:
    assert scans.printable("a\x1b[31m\n\udce9é") == "a\\x1b[31m\\n\\xe9é"
    assert scans.printable("\ud800x") == "?x"
