"""Others read the dataset: Hugging Face datasets, mlcroissant, pandas, pycocotools, python-dwca-reader."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import pytest

from pipelines.traits.dataset import write_dataset
from tests.traits.dataset.drawn import DICTIONARY, ODD, collection, statements
from tests.traits.dataset.test_writing import SETTINGS

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:::(?!pipelines)")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("readers")
    specimens = collection(root / "in")
    return write_dataset(specimens, statements(specimens), DICTIONARY, root / "in", root / "out", SETTINGS).folder


def test_datasets(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets

    said = datasets.load_dataset(str(folder), split="train", cache_dir=str(tmp_path))
    assert len(said) == 36
    assert ODD in said["text"]
    shown = datasets.load_dataset(
        "imagefolder", data_dir=str(folder / "images"), split="train", cache_dir=str(tmp_path)
    )
    assert len(shown) == 4
    assert {row["image"].size for row in shown} == {(60, 40)}
    assert {row["taxon"] for row in shown} == {"Apis mellifera", "Bombus terrestris"}


def test_mlcroissant(folder: Path) -> None:
    import mlcroissant

    croissant = mlcroissant.Dataset(jsonld=folder / "croissant.json")
    assert not croissant.metadata.ctx.issues.errors
    rows = list(croissant.records("statements"))
    assert len(rows) == 36
    assert ODD.encode() in {row["statements/text"] for row in rows}
    assert len(list(croissant.records("images"))) == 4


def test_pandas(folder: Path) -> None:
    import pandas

    assert len(pandas.read_parquet(folder / "data")) == 36
    matrix = pandas.read_csv(folder / "specimens.csv", dtype=str, keep_default_na=False).set_index("image")
    assert set(matrix["leg: colour"]) == {"[not visible]"}
    assert set(matrix["sting: colour"]) == {"[inapplicable]"}
    assert set(matrix["wing: presence"]) == {"[absent]"}
    assert set(matrix["eye: colour"]) == {"[unknown]"}
    assert set(matrix["head: aspect"]) == {"1.5"}
    taxa = pandas.read_csv(folder / "taxa.csv", dtype=str, keep_default_na=False).set_index("taxon")
    assert taxa.loc["Apis mellifera", "head: colour"] == "brown:1|red:1"
    long = pandas.read_csv(folder / "taxa_long.csv", keep_default_na=False)
    one = long[(long["taxon"] == "Apis mellifera") & (long["part"] == "head") & (long["character"] == "colour")]
    assert one[["states", "specimens_with_state", "agreement"]].to_numpy().tolist() == [["brown:1|red:1", 2, "0.5000"]]


def test_pycocotools(folder: Path) -> None:
    from pycocotools.coco import COCO

    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(folder / "coco.json"))
    assert len(coco.imgs) == 4
    for image in coco.imgs.values():
        assert (folder / "images" / image["file_name"]).is_file()
    for annotation in coco.anns.values():
        assert annotation["area"] == 30 * 20 - 10 * 10
        assert abs(int(coco.annToMask(annotation).sum()) - annotation["area"]) <= 20, "the hole is cut out"


def test_python_dwca_reader(folder: Path) -> None:
    from dwca.read import DwCAReader

    with DwCAReader(str(folder / "darwin_core.zip")) as archive:
        rows = list(archive)
        assert len(rows) == 4
        assert archive.metadata is not None
        for row in rows:
            facts = [e.data for e in row.extensions if e.rowtype.endswith("ExtendedMeasurementOrFact")]
            assert len(facts) == 7
            regions = [e.data for e in row.extensions if e.data.get("http://rs.tdwg.org/ac/terms/isROIOf")]
            assert len(regions) == 2
            assert float(regions[0]["http://rs.tdwg.org/ac/terms/widthFrac"]) == 0.5


def test_label_studio(folder: Path) -> None:
    tasks = json.loads((folder / "label_studio" / "tasks-00000.json").read_text(encoding="utf-8"))
    assert len(tasks) == 32
    for task in tasks:
        (shape,) = task["predictions"][0]["result"]
        assert all(0 <= value <= 100 for point in shape["value"]["points"] for value in point)
        assert "Apis" not in json.dumps(task)
        assert "Bombus" not in json.dumps(task)
