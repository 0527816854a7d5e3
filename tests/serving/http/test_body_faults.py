"""What vLLM fails over before the engine was asked becomes a 400; every other failure stays one."""

import json
from typing import Annotated, Any

import httpx
import pytest
from prometheus_client import REGISTRY
from pydantic import BeforeValidator, TypeAdapter
from starlette.responses import JSONResponse

from serving.arrival_clock import ArrivalClock
from serving.http.arrival_layer import ArrivalLayer
from serving.http.body_faults import BodyFaultLayer
from serving.request_stages import current_http_request


async def post(application: Any, path: str = "/v1/completions", is_engine_alive: bool = True) -> httpx.Response:
    layers = ArrivalLayer(BodyFaultLayer(application, lambda: is_engine_alive), ArrivalClock(), False, 1000)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(layers), base_url="http://test") as client:
        return await client.post(path, json={"prompt": "zanzibar"})


def plain(failure: Exception) -> None:
    raise failure


def read(failure: Exception) -> None:
    """Raise it in the midst of checking a body."""

    def check(_: object) -> None:
        raise failure

    TypeAdapter(Annotated[object, BeforeValidator(check)]).validate_python({})


def fails(failure: int | Exception, asks_engine: bool = False, is_reading: bool = True) -> Any:
    """An application that answers with a status or raises, perhaps after it has asked the engine."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if asks_engine:
            current_http_request(ArrivalClock()).next_text("zanzibar")
        if isinstance(failure, Exception):
            read(failure) if is_reading else plain(failure)
        await JSONResponse({"error": {"message": "zanzibar"}}, failure)(scope, receive, send)

    return application


def num_unreadable() -> float:
    return REGISTRY.get_sample_value("pars_unreadable_requests_total") or 0.0


@pytest.mark.parametrize(
    "failure", [KeyError("zanzibar"), RecursionError(), TypeError("zanzibar"), AttributeError("zanzibar")]
)
async def test_failure_before_the_engine_was_asked_is_a_400_that_is_counted_and_logged_without_the_prompt(
    failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    before = num_unreadable()
    response = await post(fails(failure))
    assert response.status_code == 400
    assert "/openapi.json" in response.json()["error"]["message"]
    assert num_unreadable() == before + 1
    assert "vLLM could not read a request to /v1/completions" in caplog.text
    assert "zanzibar" not in caplog.text


async def test_body_nested_too_deeply_is_a_400() -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        json.loads("[" * 1_000_000)

    assert (await post(application)).status_code == 400


async def test_failure_of_a_plugin_or_template_stays_one() -> None:
    with pytest.raises(AttributeError):
        await post(fails(AttributeError(), is_reading=False))


@pytest.mark.parametrize("status", [200, 400, 404, 500, 501, 503])
async def test_what_vllm_itself_answers_is_let_through(status: int) -> None:
    response = await post(fails(status))
    assert response.status_code == status
    assert response.json()["error"]["message"] == "zanzibar"


async def test_failure_after_the_engine_was_asked_stays_one() -> None:
    with pytest.raises(KeyError):
        await post(fails(KeyError(), asks_engine=True))


@pytest.mark.parametrize("trouble", [OSError(), RuntimeError(), MemoryError()])
async def test_machine_in_trouble_stays_a_failure(trouble: Exception) -> None:
    with pytest.raises(type(trouble)):
        await post(fails(trouble))


async def test_failure_of_a_dead_engine_stays_one() -> None:
    with pytest.raises(KeyError):
        await post(fails(KeyError()), is_engine_alive=False)


@pytest.mark.parametrize(
    "path", ["/collective_rpc", "/update_weights", "/wake_up", "/v1/load_lora_adapter", "/tokenize", "/unheard-of"]
)
async def test_failure_of_a_route_that_does_not_generate_stays_one(path: str) -> None:
    before = num_unreadable()
    with pytest.raises(KeyError):
        await post(fails(KeyError()), path)
    assert num_unreadable() == before


async def test_failure_amid_an_answer_stays_one() -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise KeyError

    with pytest.raises(KeyError):
        await post(application)
