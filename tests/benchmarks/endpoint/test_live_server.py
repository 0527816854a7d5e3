"""What a server under replay starts with."""

from pathlib import Path

import pytest

from benchmarks.endpoint.live_server import environment_of
from benchmarks.replay.own_server import server_settings


def test_every_file_that_a_server_reads_again_is_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PARS_CACHE", "PARS_ORDERING_FILE", "PARS_PATIENCE_S", "BENTOML_HOME"):
        monkeypatch.setenv(name, "of another server")
    environment = environment_of(server_settings("llm", None, None, 120), tmp_path)
    assert "of another server" not in environment.values()
    assert {Path(environment[name]).parent for name in ("PARS_CACHE", "PARS_ORDERING_FILE")} == {tmp_path}
    assert environment["BENTOML_HOME"] == str(tmp_path)
    assert environment["PARS_PATIENCE_S"] == "120"
