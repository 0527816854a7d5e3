"""`registry/runs/retrying.py`: what is tried again, for how long, and what is not."""

import mlflow
import pytest
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import PERMISSION_DENIED, RESOURCE_DOES_NOT_EXIST, TEMPORARILY_UNAVAILABLE
from requests import ConnectionError as NoConnection
from requests import HTTPError, Response
from sqlalchemy.exc import OperationalError

from registry.runs.retrying import Again, logged_or_lost, may_pass, nested_run
from tests.conftest import tracking
from tests.servers import free_port


def answered(status: int) -> HTTPError:
    response = Response()
    response.status_code = status
    return HTTPError(response=response)


PASSING = [
    (MlflowException("Connection refused"), True),
    (MlflowException("locked", TEMPORARILY_UNAVAILABLE), True),
    (MlflowException("no such run", RESOURCE_DOES_NOT_EXIST), False),
    (MlflowException("not yours", PERMISSION_DENIED), False),
    (NoConnection(), True),
    (answered(503), True),
    (OperationalError("", None, Exception("server closed the connection")), True),
    (TimeoutError(), True),
    (answered(403), False),
    (PermissionError(13, "no"), False),
    (ValueError(), False),
]


@pytest.mark.parametrize(("error", "passes"), PASSING)
def test_what_may_pass_is_a_store_that_is_away_not_one_that_refuses(error: Exception, passes: bool) -> None:
    assert may_pass(error) == passes


def test_a_call_is_repeated_until_it_succeeds_and_every_failure_is_told(caplog: pytest.LogCaptureFixture) -> None:
    slept_s: list[float] = []
    errors = [MlflowException("away"), MlflowException("away at http://me:5ecret@host")]

    def call(value: int) -> int:
        if errors:
            raise errors.pop(0)
        return value

    assert Again(60, slept_s.append)(call, 7) == 7
    assert len(slept_s) == 2
    assert [record.message for record in caplog.records if "attempt 2" in record.message]


@pytest.mark.parametrize(("for_s", "error"), [(0, MlflowException("away")), (60, PermissionError(13, "no"))])
def test_a_call_ends_with_its_own_error(for_s: float, error: Exception) -> None:
    def call() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        Again(for_s, lambda _: pytest.fail("nothing is waited for"))(call)
    assert caught.value is error


def test_what_can_be_done_without_is_told_and_left(caplog: pytest.LogCaptureFixture) -> None:
    assert logged_or_lost(int, "7") == 7
    with tracking(f"http://127.0.0.1:{free_port()}"), nested_run("variant") as run:
        assert run is None
    assert "this is not logged, and the work goes on" in caplog.text
    with pytest.raises(ValueError, match="no number"):
        logged_or_lost(int, "no number")


@pytest.mark.usefixtures("registry")
def test_a_nested_run_ends_as_its_work_does() -> None:
    with mlflow.start_run() as parent:
        with pytest.raises(KeyError), nested_run("variant") as run:
            raise KeyError
        assert (active := mlflow.active_run()) is not None
        assert active.info.run_id == parent.info.run_id
    assert run is not None
    assert mlflow.get_run(run.info.run_id).info.status == "FAILED"
