"""`deploy/retrain-cronjob.yaml`: one at a time, bounded, and with options that there are."""

import subprocess
import sys
from typing import Any

import yaml

from cli.commands import find_command
from cli.options import read_settings
from loop.retraining.config import RetrainConfig
from tests.servers import PROJECT

CRONJOB: dict[str, Any] = yaml.safe_load((PROJECT / "deploy" / "retrain-cronjob.yaml").read_text())
JOB = CRONJOB["spec"]["jobTemplate"]["spec"]
POD = JOB["template"]["spec"]
(CONTAINER,) = POD["containers"]


def test_one_runs_at_a_time_and_none_for_ever() -> None:
    assert (CRONJOB["apiVersion"], CRONJOB["kind"]) == ("batch/v1", "CronJob")
    assert CRONJOB["spec"]["concurrencyPolicy"] == "Forbid"
    assert 0 < JOB["activeDeadlineSeconds"] < 24 * 3600
    assert POD["restartPolicy"] == "Never"
    assert POD["terminationGracePeriodSeconds"] >= 30


def test_its_options_are_those_of_the_command() -> None:
    pars, name = CONTAINER["command"]
    command = find_command(name)
    assert pars == "pars"
    assert command is not None
    settings: RetrainConfig = read_settings(command.load_settings(), CONTAINER["args"], "pars retrain", command.help)
    assert settings.target_llm == "my-llm"
    assert str(settings.journal) in {one["mountPath"] for one in CONTAINER["volumeMounts"]}


def test_every_mount_has_its_volume_and_it_writes_where_it_may() -> None:
    volumes = {one["name"] for one in POD["volumes"]}
    mounts = {one["mountPath"]: one for one in CONTAINER["volumeMounts"]}
    assert {one["name"] for one in mounts.values()} == volumes
    assert CONTAINER["securityContext"]["readOnlyRootFilesystem"]
    writable = {path for path, one in mounts.items() if not one.get("readOnly")}
    assert writable == {CONTAINER["workingDir"], "/tmp"}


def test_it_is_nobody_special_and_holds_no_password() -> None:
    assert POD["securityContext"]["runAsNonRoot"]
    assert not CONTAINER["securityContext"]["allowPrivilegeEscalation"]
    assert CONTAINER["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    secret = [one for one in CONTAINER["env"] if "PASSWORD" in one["name"]]
    assert all("secretKeyRef" in one["valueFrom"] for one in secret)
    assert secret


def test_a_retraining_needs_no_library_of_a_server() -> None:
    """Those are not installed here: whoever imports them fails."""
    code = (
        "import sys\n"
        "sys.modules.update(dict.fromkeys(['vllm', 'bentoml', 'prometheus_client', 'aiohttp']))\n"
        "from cli.commands import find_command\n"
        "find_command('retrain').load()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=PROJECT, timeout=300)
