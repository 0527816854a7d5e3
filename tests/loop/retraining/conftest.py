"""The tiny encoder of the trainings' tests."""

from tests.training.conftest import tiny_encoder  # noqa: F401  # a fixture
