"""Where two processes share the tests, one has all that start an engine."""

import pytest


def test_groups_are_known_to_what_shares_the_tests_out(request: pytest.FixtureRequest) -> None:
    if not getattr(request.config.option, "loadgroup", False):  # xdist sets it in the processes that it starts
        pytest.skip("the tests of this session are not shared out by groups")
    assert request.node.nodeid.endswith("@test_groups")


def test_whoever_asks_for_a_model_is_in_the_group_with_the_engines(request: pytest.FixtureRequest) -> None:
    marks = {item.nodeid: item.get_closest_marker("xdist_group") for item in request.session.items}
    asking = [item.nodeid for item in request.session.items if "demo_llm" in getattr(item, "fixturenames", ())]
    assert {marks[one].args for one in asking} <= {("engine",)}
    assert marks[request.node.nodeid].args == ("test_groups",)
