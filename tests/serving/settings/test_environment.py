"""Variables that begin with `PARS_` and are no settings."""

import logging
import os
from unittest.mock import patch

import pytest

from serving.config import Settings, load_settings
from serving.settings.environment import PREFIX, RETIRED, is_injected, log_left_out, objections

SETTINGS = [PREFIX + name.upper() for name in Settings.model_fields]


def injected_for(service: str, address: str = "10.0.0.1", port_name: str = "", protocol: str = "TCP") -> dict[str, str]:
    """What the kubelet makes of a Service (its `FromServices`): names in upper case, dashes as underscores."""
    name = service.upper().replace("-", "_")
    host = f"[{address}]" if ":" in address else address
    of_port = f"{name}_PORT_3000_{protocol}"
    url = f"{protocol.lower()}://{host}:3000"
    variables = {
        f"{name}_SERVICE_HOST": address,
        f"{name}_SERVICE_PORT": "3000",
        f"{name}_PORT": url,
        of_port: url,
        f"{of_port}_PROTO": protocol.lower(),
        f"{of_port}_PORT": "3000",
        f"{of_port}_ADDR": address,
    }
    if port_name:
        variables[f"{name}_SERVICE_PORT_{port_name.upper().replace('-', '_')}"] = "3000"
    return variables


@pytest.mark.parametrize(
    "service", ["pars", "pars-llm", "pars-ranker-2", "pars-patience-s", "pars-port", "pars-service"]
)
@pytest.mark.parametrize("address", ["10.0.0.1", "fd00::1"])
@pytest.mark.parametrize("protocol", ["TCP", "UDP", "SCTP"])
def test_what_kubernetes_injects_is_left_out(service: str, address: str, protocol: str) -> None:
    environment = injected_for(service, address, "http-metrics", protocol)
    assert objections(environment, SETTINGS) == []
    with patch.dict(os.environ, environment):
        assert load_settings().patience_s == Settings.model_fields["patience_s"].default


def test_it_is_said_which_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        log_left_out({**injected_for("pars"), "PARS_PATIENCE_S": "3", "HOME": "/root"})
        assert "PARS_PORT, PARS_PORT_3000_TCP, " in caplog.text
        assert "PARS_PATIENCE_S" not in caplog.text
        caplog.clear()
        log_left_out({"PARS_PATIENCE_S": "3"})
        assert caplog.text == ""


def test_no_setting_has_a_name_that_kubernetes_could_inject() -> None:
    for name in [*SETTINGS, *RETIRED]:
        assert not is_injected(name, "tcp://10.0.0.1:3000"), "a Service's variable would be taken for the setting"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PARS_PORT", "3000"),
        ("PARS_LLM_PORT", "8000"),
        ("PARS_LLM_PORT", ""),
        ("PARS_SERVICE_HOSTS", "10.0.0.1"),
        ("PARS_PORT_TCP", "tcp://10.0.0.1:3000"),
        ("PARS_PORT_3000_HTTP", "tcp://10.0.0.1:3000"),
        ("pars_service_host", "10.0.0.1"),
    ],
)
def test_what_only_looks_like_it_is_no_setting(name: str, value: str) -> None:
    (objection,) = objections({name: value}, SETTINGS)
    assert objection.startswith(f"{name} is no setting of the server (")


def test_each_misspelt_name_is_shown_the_nearest_one() -> None:
    wrong = objections({"PARS_PATIENC_S": "3", "pars_rankings": "off", "PARS_PATIENCE_S": "4"}, SETTINGS)
    assert wrong == [
        "PARS_PATIENC_S is no setting of the server (did you mean PARS_PATIENCE_S?)",
        "pars_rankings is no setting of the server (did you mean PARS_RANKING?)",
    ]


def test_retired_setting_is_warned_of_and_left_out(caplog: pytest.LogCaptureFixture) -> None:
    retired = {"PARS_OLD_WAY": "PARS_PATIENCE_S does it"}
    assert objections({"PARS_OLD_WAY": "1", "pars_old_way": "2"}, SETTINGS, retired) == []
    log_left_out({"PARS_OLD_WAY": "1"}, retired)
    assert "PARS_OLD_WAY is no setting any more and is left out: PARS_PATIENCE_S does it." in caplog.text


def test_budget_of_version_0_1_0_is_ignored() -> None:
    with patch.dict(os.environ, {"PARS_RANKING_BUDGET_MS": "50", "PARS_RANKING_BACKLOG_MS": "10"}):
        assert load_settings().ranking_backlog_ms == 10
