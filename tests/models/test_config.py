"""Two variables are enough; a file says the rest, but no secret."""

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path
from types import ModuleType

import pytest

from agents.models import ModelConfig, PatchTokens, config_file, find_config, find_key
from protocols.errors import InputError

BOTH = {"LABWRIGHT_MODEL_URL": "http://127.0.0.1:8000/v1/", "LABWRIGHT_MODEL": "qwen"}


def written(folder: Path, text: str) -> Path:
    path = folder / "labwright.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_two_variables_are_enough() -> None:
    config = find_config(environment=BOTH)
    assert config == ModelConfig(url="http://127.0.0.1:8000/v1", model="qwen")
    assert config.endpoint == "http://127.0.0.1:8000/v1"
    assert find_key(config, {}) is None
    assert find_key(config, {"LABWRIGHT_MODEL_KEY": "k"}) == "k"


def test_none_is_none(tmp_path: Path) -> None:
    assert find_config(environment={}) is None
    assert find_config(written(tmp_path, "[other]\n"), {}) is None


def test_a_file_says_the_rest_and_the_environment_has_the_last_word(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
        [model]
        url = "https://example.org/v1"
        model = "m"
        price = {input = 2.5, output = 10, batch = 0.5}
        limits = {money = 20}
        rates = {requests_per_minute = 500, tokens_per_minute = 200000}
        image_tokens = {by = "patches", side = 28, most = 16384}
        parameters = {top_p = 0.9}
        """,
    )
    config = find_config(path, {"LABWRIGHT_MODEL": "n"})
    assert config is not None
    assert (config.model, config.url, config.rates.in_flight) == ("n", "https://example.org/v1", 256)
    assert config.image_tokens == PatchTokens(by="patches", side=28, most=16384)
    assert config.price is not None
    assert config.price.billionths(1_000_000, 0) == 2_500_000_000
    assert config.price.billionths(0, 1_000_000, batch=True) == 5_000_000_000
    assert config.price.billionths(1, 0) == 2500
    assert config.limits.money == Decimal(20)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[model]\nurl = "http://a/v1"\n', "without its model.*LABWRIGHT_MODEL"),
        ('[model]\nmodel = "m"\n', "without its url.*LABWRIGHT_MODEL_URL"),
        ('[model]\nurl = "a"\nmodel = "m"\n', "model.url: is not a URL"),
        ('[model]\nurl = "http://u:p@a/v1"\nmodel = "m"\n', "holds a user name or password"),
        ('[model]\nurl = "http://a/v1"\nmodel = "m"\nkey = "sk"\n', "secret stands in a file.*LABWRIGHT_MODEL_KEY"),
        ('[model]\nurl = "http://a/v1"\nmodel = "m"\nspeed = 1\n', "model.speed: Extra"),
        ('[model]\nurl = "http://a/v1"\nmodel = "m"\nrates = {concurrency = 0}\n', "model.rates.concurrency"),
        ('[model]\nurl = "http://a/v1"\nmodel = "m"\nprice = {input = -1, output = 1}\n', "model.price.input"),
        ('[model]\nurl = "http://a/v1"\nmodel = "m"\nparameters = {stream = true}\n', "stream: set by Labwright"),
        ('model = "m"\n', "not a table"),
        ("[model\n", "cannot be read"),
    ],
)
def test_what_cannot_be_used_is_told(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        find_config(written(tmp_path, text), {})


SEVERAL = """
[model]
url = "http://a/v1"
model = "small"
price = {input = 1, output = 1}
[models.large]
url = "http://b/v1"
[models."org/eyes"]
url = "http://c/v1"
model = "eyes-3"
"""


def test_a_model_by_its_name_has_its_own_table_and_no_other_price(tmp_path: Path) -> None:
    path = written(tmp_path, SEVERAL)
    found = {name: find_config(path, {}, name=name) for name in ("", "small", "large", "org/eyes")}
    assert {name: config and (config.url, config.model, config.price is None) for name, config in found.items()} == {
        "": ("http://a/v1", "small", False),
        "small": ("http://a/v1", "small", False),
        "large": ("http://b/v1", "large", True),
        "org/eyes": ("http://c/v1", "eyes-3", True),
    }
    other = find_config(path, BOTH, name="other")
    assert other is not None
    assert (other.model, other.url, other.price) == ("other", "http://127.0.0.1:8000/v1", None)
    with pytest.raises(InputError, match=r'other/x is configured without its url.*\[models."other/x"\]'):
        find_config(path, {}, name="other/x")


def test_the_file_of_this_folder_goes_before_the_one_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert config_file(tmp_path) is None
    assert config_file(written(tmp_path, SEVERAL).parent) == tmp_path / "labwright.toml"
    written(tmp_path / "here", SEVERAL)
    assert config_file(tmp_path) == Path("labwright.toml")


def test_no_secret_is_shown_when_one_is_found_in_a_file(tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        find_config(written(tmp_path, '[model]\nurl="http://user:hush@a"\nmodel="m"\n'), {})
    assert "hush" not in str(raised.value)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        find_config(tmp_path / "labwright.toml", {})


def test_the_keyring_is_asked_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    class KeyringError(Exception):
        pass

    asked: list[tuple[str, str]] = []

    def get_password(service: str, user: str) -> str:
        asked.append((service, user))
        if user == "locked":
            raise KeyringError
        return "from the ring"

    ring = ModuleType("keyring")
    ring.__spec__ = sys.__spec__  # what find_spec looks for
    ring.get_password = get_password  # type: ignore[attr-defined]
    ring.errors = type("errors", (), {"KeyringError": KeyringError})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", ring)
    config = ModelConfig(url="http://a/v1", model="m")
    assert find_key(config, {}) == "from the ring"
    assert find_key(config.model_copy(update={"name": "locked"}), {}) is None
    assert asked == [("labwright", "http://a/v1"), ("labwright", "locked")]
    assert find_key(config, {"LABWRIGHT_MODEL_KEY": "k"}) == "k"


def test_parameters_are_sent() -> None:
    from agents.models import Model
    from tests.model_server import ModelServer, truthful
    from tests.models.questions import TRUTH, Trait, question

    with ModelServer(truthful(TRUTH)) as server:
        config = ModelConfig(url=server.url, model="m", parameters={"top_p": 0.5})
        with Model(config, key="k") as model:
            model.ask(question(temperature=None, seed=7), Trait)
    (body,) = server.requests
    assert (body["top_p"], body["seed"], body["model"]) == (0.5, 7, "m")
    assert "temperature" not in body
