"""Where each policy is served."""

import pytest

from benchmarks.endpoint.endpoint import Endpoint
from benchmarks.replay.policy_endpoints import PolicyEndpoints, parse_urls
from registry.errors import InvalidInput


@pytest.mark.parametrize(
    "text", ["http://host:8000", "http://host:8000/", "http://host:8000/v1", " http://host:8000/v1/ "]
)
def test_one_address_serves_every_policy(text: str) -> None:
    assert parse_urls(text, ("fcfs", "pars"), True) == {"fcfs": "http://host:8000", "pars": "http://host:8000"}


def test_each_policy_may_have_its_own_address() -> None:
    urls = parse_urls("fcfs=http://old:1/v1, pars=http://new:2", ("fcfs", "pars"), False)
    assert urls == {"fcfs": "http://old:1", "pars": "http://new:2"}


@pytest.mark.parametrize(
    ("text", "policies"),
    [
        ("http://host", ("fcfs", "pars")),
        ("http://host", ("fcfs", "oracle")),
        ("fcfs=http://a,oracle=http://b", ("fcfs", "oracle")),
        ("fcfs=http://a,prompt_length=http://b", ("fcfs", "prompt_length")),
    ],
)
def test_order_that_only_a_client_can_bring_needs_trust(text: str, policies: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput, match="trust_priority=on"):
        parse_urls(text, policies, False)
    assert set(parse_urls(text, policies, True)) == set(policies)


@pytest.mark.parametrize("trusts_priority", [False, True])
@pytest.mark.parametrize("text", ["http://host", "fcfs=http://a,control=http://b"])
def test_control_needs_a_server_of_our_own(text: str, trusts_priority: bool) -> None:
    with pytest.raises(InvalidInput, match=r"the server's own way.*leave control out \(policies=fcfs,pars\)"):
        parse_urls(text, ("fcfs", "control"), trusts_priority)


def test_every_second_run_of_the_control_goes_to_its_mirror_image() -> None:
    one = Endpoint("http://host", "llm")
    served = PolicyEndpoints({"pars": one, "control": one}, is_ours=True, sends_priority=True)
    models = [served.of_run("control", is_reversed).model for is_reversed in (False, True)]
    assert models == ["pars-control", "pars-control-mirror"]
    assert [served.of_run("pars", is_reversed) for is_reversed in (False, True)] == [one, one]


def test_own_order_of_an_endpoint_needs_no_trust() -> None:
    assert parse_urls("http://host", ("endpoint",), False) == {"endpoint": "http://host"}


@pytest.mark.parametrize("text", ["fcfs=http://a", "fcfs=http://a,pars=http://b,oracle=http://c"])
def test_policies_and_addresses_must_agree(text: str) -> None:
    with pytest.raises(InvalidInput, match="every policy must have its address"):
        parse_urls(text, ("fcfs", "pars"), False)
