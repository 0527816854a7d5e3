"""Which policies a replay compares."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks.policies.policy_list import Policy
from benchmarks.replay.config import ReplayConfig
from benchmarks.replay.replay_policies import parse_policies
from registry.errors import InvalidInput


def config(policies: str, **others: Any) -> ReplayConfig:
    return ReplayConfig(lengths=Path("none"), target_llm="demo", policies=policies, **others)


def names(policies: str, **others: Any) -> list[str]:
    return [one.name for one in parse_policies(config(policies, **others))]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("pars,oracle", "but got 'pars,oracle'; add fcfs"),
        ("", "but got ''; add fcfs"),
        (
            "fcfs,sjf,pars",
            "fcfs, control, pars, prompt_length, .*, oracle, .*, but got 'sjf' in 'fcfs,sjf,pars'; .*rankers=",
        ),
        ("endpoint,pars", "but got 'endpoint,pars'; give policies=endpoint"),
        ("fcfs,endpoint", "but got 'fcfs,endpoint'; give policies=endpoint"),
    ],
)
def test_policies_that_cannot_be_compared_are_refused(text: str, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        parse_policies(config(text))


def test_endpoint_may_stand_alone() -> None:
    assert names("endpoint") == ["endpoint"]


def test_fcfs_comes_first_and_the_rest_as_given() -> None:
    assert names("oracle, pars,fcfs") == ["fcfs", "oracle", "pars"]


def test_rankers_are_policies_and_may_have_a_patience_of_their_own() -> None:
    given = config("fcfs,other,other@10,oracle@5", rankers=("other=models:/pars-other/1",))
    assert parse_policies(given)[1:] == (
        Policy("other", "other", 120.0),
        Policy("other@10", "other", 10.0),
        Policy("oracle@5", "oracle", 5.0),
    )


@pytest.mark.parametrize(
    ("policies", "rankers", "told"),
    [
        ("fcfs,pars@10", (), "give patience_s=SECONDS"),
        ("fcfs,fcfs@10", (), "fcfs has no patience of its own, but got 'fcfs@10'"),
        ("fcfs,control@10", (), "control has no patience of its own, but got 'control@10'"),
        ("fcfs,oracle@soon", (), "NAME@SECONDS, as in oracle@7.5, but got 'oracle@soon'"),
        ("fcfs,oracle@-5", (), "but got 'oracle@-5'"),
        ("fcfs,oracle@nan", (), "but got 'oracle@nan'"),
        ("fcfs,oracle@1e+3", (), "but got 'oracle@1e\\+3'"),
        ("fcfs", ("folder",), "NAME=URI, .* but got 'folder'"),
        ("fcfs", ("pars=folder",), "no other policy has, but got 'pars'"),
        ("fcfs", ("noise=folder",), "no other policy has, but got 'noise'"),
        ("fcfs,a", ("a=one", "a=two"), "no other policy has, but got 'a'"),
        ("fcfs", ("a@1=folder",), "letters, digits, .* but got 'a@1'"),
        ("fcfs", ("list+mle=folder",), "letters, digits, .* but got 'list\\+mle'"),
        ("fcfs,pars", ("other=folder",), "'other' is not; add it to policies"),
        ("endpoint", ("other=folder",), "but got rankers=other=folder; leave them out"),
    ],
)
def test_what_is_wrong_is_said(policies: str, rankers: tuple[str, ...], told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        parse_policies(config(policies, rankers=rankers))
