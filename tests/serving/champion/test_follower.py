"""The champion's alias is followed; a version that cannot be served is refused."""

import asyncio
import logging
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import isnan
from pathlib import Path

import mlflow
import pytest
from prometheus_client import REGISTRY

from registry import store
from registry.artefact.card import CARD_FILE, RankerCard, ReferenceScores
from registry.artefact.files import ONNX_FILE, RANKER_FILES, TOKENIZER_FILE, sha256_of
from registry.promotion import GATE_TAG
from registry.watch import YESTERDAY_TAG
from serving.champion import follower as following
from serving.champion import time_limits
from serving.champion.follower import ChampionFollower
from serving.champion.ordering_switch import OrderingSwitch
from serving.champion.ranker_copies import LAST, LOCK, RankerCopies
from serving.champion.ranker_sources import SOURCES, Champion
from serving.metrics import GATES
from tests.conftest import tracking
from tests.rankers import fetched, write_ranker
from tests.serving.champion.yesterdays import SAID


@pytest.fixture
def champions(ranker_store: str, tmp_path: Path) -> Iterator[str]:
    """A copy of the registry whose aliases may be moved."""
    copy = tmp_path / "mlflow.db"
    shutil.copyfile(ranker_store.removeprefix("sqlite:///"), copy)
    with tracking(f"sqlite:///{copy}"):
        yield mlflow.get_tracking_uri()


@pytest.fixture
def cache(tmp_path: Path) -> RankerCopies:
    return RankerCopies(tmp_path / "rankers")


@pytest.fixture
def switch() -> OrderingSwitch:
    return OrderingSwitch(["demo-llm", "nobody"])


@pytest.fixture
def follower(champions: str, cache: RankerCopies, switch: OrderingSwitch) -> ChampionFollower:
    return ChampionFollower("demo-llm", 1, cache, switch)


@contextmanager
def unreachable(uri: str = "http://127.0.0.1:9") -> Iterator[None]:
    """A registry that nobody listens for."""
    with tracking(uri), pytest.MonkeyPatch.context() as patch:
        for name, value in time_limits.SOON.items():
            patch.setenv(name, value)
        yield


@contextmanager
def hanging() -> Iterator[str]:
    """Address of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def reloads(outcome: str) -> float:
    return REGISTRY.get_sample_value("pars_ranker_reloads_total", {"outcome": outcome}) or 0.0


def source_of(target_llm: str) -> list[str]:
    """Where the gauge says the ranker comes from."""
    labels = {source: {"target_llm": target_llm, "source": source} for source in SOURCES}
    return [one for one in SOURCES if REGISTRY.get_sample_value("pars_ranker_source", labels[one]) == 1]


def served(follower: ChampionFollower) -> Champion:
    assert follower.champion is not None
    return follower.champion


async def started(follower: ChampionFollower) -> Champion:
    """After a first look, and what there is without a champion."""
    await follower.look()
    await follower.stand_in(None)
    return served(follower)


def gate_of(target_llm: str) -> list[str]:
    """What the gauge says of the gate."""
    labels = {gate: {"target_llm": target_llm, "gate": gate} for gate in GATES}
    return [one for one in GATES if REGISTRY.get_sample_value("pars_champion_gate", labels[one]) == 1]


async def test_page_says_what_the_gate_has_decided_of_the_champion(follower: ChampionFollower) -> None:
    await started(follower)
    assert gate_of("demo-llm") == ["none"], "its alias was moved by hand"
    before = served(follower)
    for gate in ("promoted", "forced", "refused"):
        mlflow.MlflowClient().set_model_version_tag("pars-demo-llm", "1", GATE_TAG, gate)
        await follower.look()
        assert gate_of("demo-llm") == [gate]
    assert served(follower) is before, "a tag is no new ranker"


async def test_champion_is_followed_when_the_alias_moves(follower: ChampionFollower) -> None:
    first = await started(follower)
    assert first.version == 1
    assert first.instant_state == "on"
    assert REGISTRY.get_sample_value("pars_ranker_instant_tier", {"target_llm": "demo-llm"}) == 1
    await follower.look()
    assert follower.champion is first
    store.promote("demo-llm", 2)
    await follower.look()
    assert served(follower).version == 2
    assert first.ranker.predict("one two").score == 2, "a request that holds the old one can still use it"
    assert served(follower).ranker.predict("one two").score == -2
    assert REGISTRY.get_sample_value("pars_ranker_version", {"target_llm": "demo-llm"}) == 2
    since_s = REGISTRY.get_sample_value("pars_ranker_since_seconds", {"target_llm": "demo-llm"})
    assert since_s is not None and time.time() - 60 < since_s <= time.time()
    store.rollback("demo-llm")
    await follower.look()
    assert served(follower).version == 1


async def test_version_that_does_not_load_is_refused_once_and_the_old_one_keeps_serving(
    follower: ChampionFollower, caplog: pytest.LogCaptureFixture
) -> None:
    before = reloads("refused")
    await follower.look()
    store.promote("demo-llm", 3)
    await follower.look()
    await follower.look()
    assert served(follower).version == 1
    assert reloads("refused") == before + 1
    assert "Version 3 is refused, version 1 keeps serving" in caplog.text
    store.promote("demo-llm", 2)
    await follower.look()
    assert served(follower).version == 2


async def test_ranker_that_scores_otherwise_on_this_machine_is_served_and_counted(
    follower: ChampionFollower, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def error() -> float | None:
        return REGISTRY.get_sample_value("pars_ranker_reference_error", {"target_llm": "demo-llm"})

    await started(follower)
    assert isnan(error() or 0), "the cards of the tests' rankers have no reference scores"
    for there, off in ((2.0, 0.0), (2.5, 0.5)):  # a score of 2 is right here
        reference = ReferenceScores(prompts=("one two",), scores=(there,), spread=1.0)
        with mlflow.start_run():
            version = store.register(write_ranker(tmp_path / str(there), reference=reference))
        store.promote("demo-llm", version)
        await follower.look()
        assert served(follower).version == version
        assert error() == off
        assert ("its scores are off by 0.500" in caplog.text) == (off > 0)


def change_card(folder: Path, **changes: object) -> None:
    """Spoil the card of a version, whoever did it, after it was registered."""
    RankerCard.read(folder).model_copy(update=changes).write(folder)


def corrupt(folder: Path) -> None:
    """A file that does not load, though its digest is right."""
    (folder / ONNX_FILE).write_bytes(b"not a network")
    card = RankerCard.read(folder)
    change_card(folder, sha256={**card.sha256, ONNX_FILE: sha256_of(folder / ONNX_FILE)})


def change_one_byte(folder: Path) -> None:
    content = bytearray((folder / ONNX_FILE).read_bytes())
    content[-1] ^= 1
    (folder / ONNX_FILE).write_bytes(content)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda folder: change_card(folder, target_llm="other-llm"), "must be trained for 'demo-llm'"),
        (lambda folder: change_card(folder, text_rendering="another-0"), "trained on 'another-0'"),
        (corrupt, "does not load"),
        (change_one_byte, "its sha256 differs"),
        (lambda folder: (folder / TOKENIZER_FILE).unlink(), "has none"),
    ],
    ids=["wrong target", "other text rendering", "corrupt file", "failed digest", "missing file"],
)
async def test_version_that_does_not_match_is_refused_with_its_reason(
    follower: ChampionFollower,
    caplog: pytest.LogCaptureFixture,
    spoil: Callable[[Path], None],
    reason: str,
) -> None:
    before = reloads("refused")
    await follower.look()
    folder = fetched("demo-llm", 2)
    registered = {name: (folder / name).read_bytes() for name in RANKER_FILES}
    spoil(folder)
    try:
        store.promote("demo-llm", 2)
        await follower.look()
    finally:
        for name, content in registered.items():
            (folder / name).write_bytes(content)
    assert served(follower).version == 1
    assert served(follower).ranker.predict("one two").score == 2
    assert reloads("refused") == before + 1
    assert "Version 2 is refused, version 1 keeps serving" in caplog.text
    assert reason in caplog.text


async def test_registry_that_goes_away_changes_nothing_but_a_metric(
    follower: ChampionFollower, caplog: pytest.LogCaptureFixture
) -> None:
    before = reloads("unreachable")
    await follower.look()
    with unreachable():
        await follower.look()
        await follower.look()
    assert served(follower).version == 1
    assert reloads("unreachable") == before + 2
    assert caplog.text.count("The registry is unreachable") == 1
    store.promote("demo-llm", 2)
    await follower.look()
    assert served(follower).version == 2


async def test_files_that_cannot_be_had_for_a_while_are_tried_again(follower: ChampionFollower) -> None:
    refused = reloads("refused")
    await follower.look()
    store.promote("demo-llm", 2)
    folder = fetched("demo-llm", 2).parents[1]
    away = folder.with_name("away")
    folder.rename(away)
    try:
        await follower.look()
        assert served(follower).version == 1
    finally:
        away.rename(folder)
    assert reloads("refused") == refused, "nothing is wrong with the version"
    await follower.look()
    assert served(follower).version == 2


async def test_target_without_a_champion_is_followed_until_it_has_one(
    champions: str, cache: RankerCopies, switch: OrderingSwitch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    follower, before = ChampionFollower("nobody", 1, cache, switch), reloads("swapped")
    await follower.look()
    await follower.stand_in(None)
    follower.say_if_missing()
    assert (follower.champion, follower.finding, source_of("nobody")) == (None, "no_champion", ["none"])
    assert (
        "Requests to nobody are served first come, first served until it has a ranker: pars-nobody has no champion"
        in (caplog.text)
    )
    assert "-e promote -P target_llm=nobody" in caplog.text
    with mlflow.start_run():
        store.register(write_ranker(tmp_path / "nobody", "nobody"))
    store.promote("nobody")
    await follower.look()
    assert served(follower).version == 1
    assert (follower.finding, source_of("nobody")) == ("champion", ["champion"])
    assert reloads("swapped") == before + 1


async def test_while_the_registry_is_unreachable_a_start_uses_the_last_ranker_that_was_served_here(
    follower: ChampionFollower, cache: RankerCopies, switch: OrderingSwitch, caplog: pytest.LogCaptureFixture
) -> None:
    store.promote("demo-llm", 2)
    await follower.look()
    before, swapped = reloads("cached"), reloads("swapped")
    again = ChampionFollower("demo-llm", 1, cache, switch)
    with unreachable(), caplog.at_level(logging.WARNING):
        cached = await started(again)
        await again.look()
    assert (cached.version, cached.source, source_of("demo-llm")) == (2, "cached", ["cached"])
    assert cached.ranker.predict("one two").score == -2
    assert reloads("cached") == before + 1
    assert "A ranker in the cache stands in for the champion of demo-llm: the registry at http://127.0.0.1:9 must" in (
        caplog.text
    )
    await again.look()
    assert (served(again).version, source_of("demo-llm")) == (2, ["champion"])
    assert reloads("swapped") == swapped, "it was this one all the time"
    store.promote("demo-llm", 1)
    await again.look()
    assert served(again).version == 1, "it follows the alias again"


async def test_champion_that_is_refused_at_a_start_is_stood_in_for(
    follower: ChampionFollower, cache: RankerCopies, switch: OrderingSwitch, tmp_path: Path
) -> None:
    store.promote("demo-llm", 3)
    await follower.look()
    assert (follower.champion, follower.finding) == (None, "refused")
    await follower.stand_in(write_ranker(tmp_path / "fallback", weight=5.0))
    assert (served(follower).version, source_of("demo-llm")) == (None, ["fallback"])
    assert served(follower).ranker.predict("one two").score == 10
    store.promote("demo-llm", 2)
    await follower.look()
    assert (served(follower).version, source_of("demo-llm")) == (2, ["champion"])
    store.promote("demo-llm", 3)
    again = ChampionFollower("demo-llm", 1, cache, switch)
    await again.look()
    await again.stand_in(tmp_path / "fallback")
    assert (served(again).version, served(again).source) == (2, "cached"), "the cache comes before the fallback"


async def test_cached_ranker_is_checked_as_any_ranker(
    follower: ChampionFollower, cache: RankerCopies, switch: OrderingSwitch, caplog: pytest.LogCaptureFixture
) -> None:
    await follower.look()
    with cache.last("demo-llm") as found:
        assert found is not None
    with (found[1] / ONNX_FILE).open("ab") as file:
        file.write(b"x")
    again = ChampionFollower("demo-llm", 1, cache, switch)
    with unreachable():
        await again.look()
        await again.stand_in(None)
    assert again.champion is None
    assert "The ranker in the cache cannot be served: " in caplog.text
    assert "its sha256 differs" in caplog.text


async def test_refused_version_is_not_cached(follower: ChampionFollower, cache: RankerCopies) -> None:
    await follower.look()
    store.promote("demo-llm", 3)
    await follower.look()
    with cache.last("demo-llm") as found:
        assert found is not None and found[0] == 1


async def test_fallback_of_another_target_is_served_and_that_is_said(
    champions: str, cache: RankerCopies, switch: OrderingSwitch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model = tmp_path / "model"
    write_ranker(model / "data" / "x", "another-llm")
    (model / "MLmodel").write_text("flavors: {python_function: {data: data/x, loader_module: registry.pyfunc}}")
    follower = ChampionFollower("nobody", 1, cache, switch)
    await follower.look()
    await follower.stand_in(model)
    assert served(follower).source == "fallback"
    assert "The fallback ranker of 'nobody' was trained for 'another-llm'." in caplog.text


@pytest.mark.parametrize("files", [(), ("card.json",), ("MLmodel",)])
async def test_fallback_that_does_not_load_is_said_and_the_server_starts(
    champions: str,
    cache: RankerCopies,
    switch: OrderingSwitch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    files: tuple[str, ...],
) -> None:
    for name in files:
        (tmp_path / name).write_text("{}")
    follower = ChampionFollower("nobody", 1, cache, switch)
    await follower.look()
    await follower.stand_in(tmp_path)
    assert follower.champion is None
    assert "The ranker in PARS_FALLBACK_RANKER cannot be served: " in caplog.text


def make_anew(ranker: Path) -> None:
    """Delete the registered model, and make this ranker version 1 and champion of a new one."""
    mlflow.MlflowClient().delete_registered_model("pars-demo-llm")
    with mlflow.start_run():
        store.register(ranker)
    store.promote("demo-llm", 1)


async def test_model_deleted_and_made_anew_as_version_1_is_swapped_in(
    follower: ChampionFollower, tmp_path: Path
) -> None:
    before = await started(follower)
    swapped = reloads("swapped")
    make_anew(write_ranker(tmp_path / "anew", weight=7.0))
    await follower.look()
    assert before.version == served(follower).version == 1
    assert served(follower).ranker.predict("one two").score == 14
    assert reloads("swapped") == swapped + 1


async def test_same_files_registered_anew_under_the_same_number_are_no_other_ranker(
    follower: ChampionFollower, tmp_path: Path
) -> None:
    before = await started(follower)
    swapped = reloads("swapped")
    make_anew(write_ranker(tmp_path / "anew", instant_weight=1.0))
    await follower.look()
    assert served(follower).is_same_ranker(before)
    assert reloads("swapped") == swapped


def register_another_kind_of_model(folder: Path) -> None:
    """As version 4, with 2 MB of its own."""
    data = folder / "weights"
    data.mkdir()
    (data / "weights.bin").write_bytes(b"x" * 2_000_000)
    with mlflow.start_run():
        info = mlflow.pyfunc.log_model(name="other", loader_module="registry.pyfunc", data_path=str(data))
    mlflow.register_model(info.model_uri, "pars-demo-llm")


async def test_version_that_is_no_ranker_is_refused_once_and_never_downloaded(
    follower: ChampionFollower,
    cache: RankerCopies,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await started(follower)
    register_another_kind_of_model(tmp_path)
    before = reloads("refused")
    had: list[str] = []
    download = mlflow.artifacts.download_artifacts

    def note_and_download(artifact_uri: str, dst_path: str) -> str:
        had.append(artifact_uri)
        return download(artifact_uri=artifact_uri, dst_path=dst_path)

    monkeypatch.setattr(mlflow.artifacts, "download_artifacts", note_and_download)
    store.promote("demo-llm", 4)
    for _ in range(3):
        await follower.look()
    assert (served(follower).version, follower.finding, reloads("refused")) == (1, "refused", before + 1)
    assert [uri.rpartition("/")[2] for uri in had] == ["MLmodel"]
    assert "Version 4 is refused, version 1 keeps serving: a ranker's folder holds ranker.onnx" in caplog.text


async def test_swaps_and_failures_leave_nothing_behind(
    follower: ChampionFollower, cache: RankerCopies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(elsewhere))
    for version in (1, 2, 3, 1):
        store.promote("demo-llm", version)
        await follower.look()
    with mlflow.start_run():
        version = store.register(write_ranker(tmp_path / "gone"))
    (Path(store.ranker_folder(f"models:/pars-demo-llm/{version}")) / CARD_FILE).unlink()
    store.promote("demo-llm", version)
    await follower.look()
    assert list(elsewhere.iterdir()) == []
    assert len({path.name for path in (cache.folder / "pars-demo-llm").iterdir()} - {LAST, LOCK}) == 1


async def test_tag_switches_ordering(follower: ChampionFollower, switch: OrderingSwitch) -> None:
    await follower.look()
    assert switch.is_on("demo-llm")
    mlflow.MlflowClient().set_registered_model_tag("pars-demo-llm", "ordering", "off")
    await follower.look()
    assert not switch.is_on("demo-llm")
    with unreachable():
        await follower.look()
    assert not switch.is_on("demo-llm"), "what it said last holds"
    mlflow.MlflowClient().delete_registered_model_tag("pars-demo-llm", "ordering")
    await follower.look()
    assert switch.is_on("demo-llm")


async def test_what_yesterday_would_have_been_is_shown_while_the_tag_says_it(follower: ChampionFollower) -> None:
    def shown() -> float:
        value = REGISTRY.get_sample_value("pars_yesterday_fcfs_ratio", {"target_llm": "demo-llm"})
        assert value is not None
        return value

    await follower.look()
    assert isnan(shown())
    store.tag_model("demo-llm", YESTERDAY_TAG, SAID.model_dump_json())
    await follower.look()
    assert shown() == 3.4
    store.tag_model("demo-llm", YESTERDAY_TAG, SAID.model_dump_json()[:-9])
    await follower.look()
    assert isnan(shown())


async def test_registry_that_hangs_is_counted_and_the_next_look_is_not_delayed(
    follower: ChampionFollower, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert following.LOOK_LIMIT_S + 5 < 15, "with the usual 5 s between two looks"
    await started(follower)
    monkeypatch.setattr(following, "LOOK_LIMIT_S", 0.2)
    before = reloads("unreachable")
    with hanging() as address, unreachable(f"http://{address}"):
        for number in range(1, 6):
            await follower.look()
            assert reloads("unreachable") == before + number
    assert sum(thread.name == "registry" for thread in threading.enumerate()) <= 3
    async with asyncio.timeout(60):
        while follower.finding != "champion":  # MLflow's own time limit ends the calls that hang
            await asyncio.sleep(0.1)
            await follower.look()


async def test_mlflows_own_calls_give_up_soon(follower: ChampionFollower, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlflow.store.db.utils.MAX_RETRY_COUNT", 10)
    time_limits.give_up_soon({})
    with hanging() as address, unreachable(f"http://{address}"), pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
        await follower.look()
        assert "no answer" not in follower.trouble, "MLflow ended it"
    with unreachable("postgresql://user:hunter2@127.0.0.1:9/mlflow"):
        await follower.look()
        assert (follower.finding, "no answer" in follower.trouble) == ("unreachable", False)


async def test_age_of_the_last_look_is_that_of_the_last_answer(follower: ChampionFollower) -> None:
    await follower.look()
    looked_at_s = REGISTRY.get_sample_value("pars_registry_looked_at_seconds", {"target_llm": "demo-llm"})
    assert looked_at_s is not None and time.time() - 60 < looked_at_s <= time.time()
    with unreachable():
        await follower.look()
    assert REGISTRY.get_sample_value("pars_registry_looked_at_seconds", {"target_llm": "demo-llm"}) == looked_at_s


@pytest.mark.parametrize("uri", ["http://user:hunter2@127.0.0.1:9", "postgresql://user:hunter2@127.0.0.1:9/mlflow"])
async def test_no_password_is_said(
    follower: ChampionFollower, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, uri: str
) -> None:
    monkeypatch.setattr("mlflow.store.db.utils.MAX_RETRY_COUNT", 1)  # or its retries would hold up the next test
    await started(follower)
    with unreachable(uri), caplog.at_level(logging.DEBUG, logger="serving"):
        await follower.look()
    assert follower.finding == "unreachable"
    ours = [record.getMessage() for record in caplog.records if record.name.startswith(("serving", "registry"))]
    assert any("The registry is unreachable" in said for said in ours)
    assert "hunter2" not in "".join([*ours, follower.trouble])
