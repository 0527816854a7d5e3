"""Which tests stay together where two processes share them (`pytest -n 2 --dist loadgroup`).

One process has all tests with an engine, so that its servers start once and no two engines run beside each other;
likewise what looks at the one training of `tests/training/conftest.py`. Of the others each file is a group.
"""

import pytest

DEAR = {"demo_llm": "engine", "tiny_training": "training"}
"""Fixtures that a group is named for: whoever starts an engine asks for a model."""


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups by the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each test its group, unless it says one itself."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(_group_of(item)))


def _group_of(item: pytest.Item) -> str:
    fixtures = getattr(item, "fixturenames", ())
    return next((group for fixture, group in DEAR.items() if fixture in fixtures), item.path.stem)
