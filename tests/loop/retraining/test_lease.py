"""`loop/retraining/exclusion/`: one retraining at a time, whoever is killed."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest
from filelock import FileLock

from loop.retraining.config import RetrainConfig
from loop.retraining.exclusion.lease import LEASE_TAG, Claim, LostLease, leased
from loop.retraining.exclusion.only_one import only_one
from loop.retraining.idle import Idle
from registry.store import find_model
from tests.conftest import tracking

NAME, TARGET_LLM = "pars-shared", "shared"
SETTLE_S = 0.3


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[None]:
    with tracking(f"sqlite:///{tmp_path / 'mlflow.db'}"):
        experiment = mlflow.create_experiment("lease", (tmp_path / "artifacts").as_uri())
        mlflow.set_experiment(experiment_id=experiment)
        yield


def tag() -> str | None:
    model = find_model(NAME)
    return None if model is None else model.tags.get(LEASE_TAG)


@pytest.mark.usefixtures("registry")
def test_while_one_holds_it_another_has_nothing_to_do() -> None:
    with leased(NAME, TARGET_LLM, 600, settle_s=0):
        with pytest.raises(Idle, match=r"Nothing to do: pars-shared is being retrained already, by .*, process"):
            leased(NAME, TARGET_LLM, 600, settle_s=0).__enter__()
        assert tag() is not None
    assert tag() is None
    with leased(NAME, TARGET_LLM, 600, settle_s=0):
        pass


@pytest.mark.usefixtures("registry")
def test_of_two_that_start_at_once_one_goes_on() -> None:
    with leased(NAME, TARGET_LLM, 600, settle_s=0):
        pass  # the model is there
    outcomes: list[str] = []
    at_once, over = threading.Barrier(3), threading.Event()

    def start() -> None:
        at_once.wait()
        try:
            with leased(NAME, TARGET_LLM, 600, settle_s=SETTLE_S):
                outcomes.append("goes on")
                over.wait(20)
        except Idle:
            outcomes.append("idle")
            over.set()

    threads = [threading.Thread(target=start) for _ in range(2)]
    for one in threads:
        one.start()
    at_once.wait()
    for one in threads:
        one.join()
    assert sorted(outcomes) == ["goes on", "idle"]


@pytest.mark.usefixtures("registry")
def test_one_that_was_killed_keeps_nobody_out_for_longer_than_its_lease_and_its_runs_are_ended() -> None:
    with leased(NAME, TARGET_LLM, 600, settle_s=0):
        pass
    client = mlflow.MlflowClient()
    experiment = client.get_experiment_by_name("lease")
    assert experiment is not None
    parent = client.create_run(experiment.experiment_id).info.run_id
    child = client.create_run(experiment.experiment_id, tags={"mlflow.parentRunId": parent}).info.run_id
    Claim("of the dead", "another machine, process 7", until_s=1000.0, run_id=parent).write(NAME)
    with pytest.raises(Idle, match="by another machine, process 7"):
        leased(NAME, TARGET_LLM, 600, now=lambda: 999.0, settle_s=0).__enter__()
    with leased(NAME, TARGET_LLM, 600, now=lambda: 1000.0, settle_s=0):
        pass
    assert [client.get_run(one).info.status for one in (parent, child)] == ["KILLED", "KILLED"]


@pytest.mark.usefixtures("registry")
def test_who_has_lost_it_may_not_go_on_and_takes_nothing_from_the_other() -> None:
    with leased(NAME, TARGET_LLM, 600, settle_s=0) as lease:
        lease.require()
        Claim("of another", "another machine", until_s=1e12).write(NAME)
        with pytest.raises(LostLease, match="is retrained by another machine now"):
            lease.require()
    assert json.loads(tag() or "{}")["token"] == "of another"


@pytest.mark.usefixtures("registry")
def test_who_runs_renews_it() -> None:
    times = iter(range(1000, 2000))
    with leased(NAME, TARGET_LLM, 600, now=lambda: float(next(times)), settle_s=0) as lease:
        before = Claim.read(NAME)
        lease.begin_run("of this retraining")
        after = Claim.read(NAME)
    assert before is not None
    assert after is not None
    assert after.until_s > before.until_s
    assert after.run_id == "of this retraining"


@pytest.mark.usefixtures("registry")
def test_a_tag_that_nobody_understands_keeps_nobody_out() -> None:
    with leased(NAME, TARGET_LLM, 600, settle_s=0):
        pass
    mlflow.MlflowClient().set_registered_model_tag(NAME, LEASE_TAG, "by hand")
    with leased(NAME, TARGET_LLM, 600, settle_s=0):
        pass


@pytest.mark.usefixtures("registry")
def test_a_process_of_the_same_machine_is_told_so_by_the_journal(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    journal.mkdir()
    config = RetrainConfig(target_llm=TARGET_LLM, journal=journal)
    (journal / ".journal").mkdir()
    with (
        FileLock(journal / ".journal" / f"{NAME}.retraining"),
        pytest.raises(Idle, match="process of this machine"),
    ):
        only_one(NAME, config).__enter__()
    assert find_model(NAME) is None


@pytest.mark.usefixtures("registry")
def test_a_journal_in_which_nothing_may_be_written_leaves_it_to_the_lease(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    journal.mkdir()
    (journal / ".journal").touch()
    config = RetrainConfig(target_llm=TARGET_LLM, journal=journal)
    with only_one(NAME, config), pytest.raises(Idle, match="is being retrained already"):
        leased(NAME, TARGET_LLM, 600, settle_s=0).__enter__()
