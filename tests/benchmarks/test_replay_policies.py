"""Which policies a replay compares."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks.config import ReplayConfig
from benchmarks.policies import Policy
from benchmarks.replay_policies import parse_policies, uris_of


def config(policies: str, **others: Any) -> ReplayConfig:
    return ReplayConfig(lengths=Path("none"), target_llm="demo", policies=policies, **others)


def names(policies: str, **others: Any) -> list[str]:
    return [one.name for one in parse_policies(config(policies, **others))]


@pytest.mark.parametrize("text", ["pars,oracle", "fcfs,shortest", "", "endpoint,pars", "fcfs,endpoint"])
def test_policies_that_cannot_be_compared_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=f"fcfs and any of control, pars, prompt_length, oracle, but got '{text}'"):
        parse_policies(config(text))


def test_endpoint_may_stand_alone() -> None:
    assert names("endpoint") == ["endpoint"]


def test_fcfs_comes_first_and_the_rest_as_given() -> None:
    assert names("oracle, pars,fcfs") == ["fcfs", "oracle", "pars"]


def test_rankers_are_policies_and_may_have_a_patience_of_their_own() -> None:
    given = config("fcfs,other,other@10,oracle@5", rankers=("other=models:/pars-other/1", "unused=folder"))
    assert parse_policies(given)[1:] == (
        Policy("other", "other", 120.0),
        Policy("other@10", "other", 10.0),
        Policy("oracle@5", "oracle", 5.0),
    )
    assert uris_of(parse_policies(given), given) == {"other": "models:/pars-other/1"}


@pytest.mark.parametrize(
    ("policies", "rankers", "told"),
    [
        ("fcfs,pars@10", (), "give patience_s=SECONDS"),
        ("fcfs,oracle@soon", (), "NAME@SECONDS, but got 'oracle@soon'"),
        ("fcfs", ("folder",), "NAME=URI, but got 'folder'"),
        ("fcfs", ("pars=folder",), "no policy's and has no @, but got 'pars'"),
        ("fcfs", ("a@1=folder",), "no policy's and has no @, but got 'a@1'"),
    ],
)
def test_what_is_wrong_is_said(policies: str, rankers: tuple[str, ...], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        parse_policies(config(policies, rankers=rankers))
