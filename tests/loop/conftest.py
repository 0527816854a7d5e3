"""A registry of its own for each test that asks."""

from tests.registry.conftest import registry as registry
