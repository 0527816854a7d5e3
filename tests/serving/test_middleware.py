"""The ranking in plain vLLM: a real process of vLLM's own server, with nothing of BentoML."""

import asyncio
import json
import math
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from serving.http.header_routes import reads_the_header
from tests.conftest import API_KEY
from tests.routes import FIVE, GENERATING, NOT_GENERATING
from tests.servers import VLLM_ARGS, RunningServer, free_port, running
from tests.serving.engine_threads import assert_engine_stands_back
from tests.serving.journal.journals import noted_of

pytestmark = pytest.mark.slow

ENTRY = "vllm.entrypoints.launchers.api_server.entry"
LONG_AGO_US = 1_700_000_000_000_000
NUM_WORDS = list(range(40, 8, -4))


def serve(folder: Path, demo_llm: Path, ranker_store: str, flags: str, **settings: str) -> Any:
    command = f"{ENTRY} --model {demo_llm} --served-model-name demo-llm plain {VLLM_ARGS} --max-num-seqs 1 {flags}"
    port = free_port()
    environment = {"MLFLOW_TRACKING_URI": ranker_store, "VLLM_NO_USAGE_STATS": "1", **settings}
    return running([*command.split(), "--port", str(port)], port, environment, folder / "log.txt")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory, demo_llm: Path, ranker_store: str) -> Iterator[RunningServer]:
    flags = (
        f"--scheduling-policy priority --enable-scale-out --api-key {API_KEY}"
        " --middleware tests.header_spy.HeaderSpy --middleware serving.middleware.ShortestFirst"
    )
    settings = {"PARS_RANKERS": "demo-llm=demo-llm", "PARS_CHAMPION_POLL_S": "0.5"}
    settings |= {"PARS_CAP_BY_MAX_TOKENS": "off", "PARS_MAX_BODY_BYTES": "2000000", "PARS_PATIENCE_S": "1000"}
    with serve(tmp_path_factory.mktemp("plain"), demo_llm, ranker_store, flags, **settings) as started:
        yield started


@pytest.fixture
async def client(plain: RunningServer) -> AsyncIterator[httpx.AsyncClient]:
    async with plain.client(headers={"Authorization": f"Bearer {API_KEY}"}) as client:
        yield client


def seen_priority(response: httpx.Response) -> int:
    return int(response.headers["X-Seen-Priority"])


JSON = {"Content-Type": "application/json"}


async def metric(client: httpx.AsyncClient, name: str) -> float:
    page = (await client.get("/metrics")).text
    return sum(float(value) for value in re.findall(rf"^{re.escape(name)}(?:{{.*}})? (.*)$", page, re.MULTILINE))


async def test_every_post_route_carries_our_priority_or_is_refused_or_sends_nothing_to_the_engine(
    client: httpx.AsyncClient,
) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    posts = {path for path, methods in paths.items() if "post" in methods}
    assert posts == NOT_GENERATING | {path for path, _, _ in GENERATING}
    for path, body, _ in GENERATING:
        response = await client.post(path, json={**body, "priority": -7}, headers={"X-Vllm-Priority": "-8"})
        if reads_the_header(path) and not body.get("use_beam_search"):
            assert response.status_code == 200, response.text
            assert seen_priority(response) > LONG_AGO_US
        else:
            assert response.status_code == 400
            assert "cannot carry a priority" in response.json()["error"]["message"]
    for path in NOT_GENERATING - {"/v1/systemone"}:
        assert "cannot carry a priority" not in (await client.post(path, json={})).text


async def test_list_is_ranked_by_its_longest(client: httpx.AsyncClient) -> None:
    prompts: list[Any] = ["one " * 30, ["one", "one " * 30, "one " * 5], "one"]
    longest, of_list, short = [
        await client.post("/v1/completions", json={**FIVE, "prompt": prompt}) for prompt in prompts
    ]
    assert 0 < seen_priority(of_list) - seen_priority(longest) < 1e7, "the same place, a little later"
    assert seen_priority(short) < seen_priority(of_list) - 1e7


async def test_each_prompt_of_a_list_is_a_row_of_the_journal(client: httpx.AsyncClient, plain: RunningServer) -> None:
    body = {**FIVE, "prompt": ["one", "one two"], "session_id": "list", "ignore_eos": True}
    assert (await client.post("/v1/completions", json=body)).status_code == 200
    found = await noted_of(plain, "list", 2)
    assert sorted(row["predicted_tokens"] for row in found) == pytest.approx([math.exp(0.1), math.exp(0.2)])
    assert {(row["output_tokens"], row["ending"], row["model"]) for row in found} == {(5, "cut", "demo-llm")}
    assert all(row["waiting_s"] >= 0 and row["held_s"] < row["end_to_end_s"] for row in found)


async def test_unauthorised_request_costs_no_ranking(client: httpx.AsyncClient) -> None:
    before = await metric(client, "pars_ranking_seconds_count")
    for path in ("/v1/completions", "/v1/chat/completions"):
        body = {**FIVE, "prompt": "one", "messages": [{"role": "user", "content": "one"}]}
        response = await client.post(path, json=body, headers={"Authorization": "Bearer other"})
        assert response.status_code == 401
    assert await metric(client, "pars_ranking_seconds_count") == before
    await client.post("/v1/completions", json={**FIVE, "prompt": "one"})
    assert await metric(client, "pars_ranking_seconds_count") == before + 1


async def test_body_over_the_limit_is_passed_on_and_what_is_wrong_with_one_is_vllms_to_say(
    client: httpx.AsyncClient,
) -> None:
    large = json.dumps({**FIVE, "prompt": "one", "user": "x" * 2_000_000}).encode()
    assert (await client.post("/v1/completions", content=large, headers=JSON)).status_code == 200
    beam_search = large.replace(b'"user"', b'"use_beam_search": true, "user"')
    for content in (b"{", b"\xff", b"[" * 100_000, b"[]", b"[" * 3_000_000, beam_search):
        response = await client.post("/v1/completions", content=content, headers=JSON)
        assert response.status_code == 400, response.text
        assert seen_priority(response) > LONG_AGO_US


async def test_paths_that_clients_make_up_are_no_labels(client: httpx.AsyncClient) -> None:
    for number in range(20):
        for path in ("/{}", "/v1/responses/resp_{}", "/v1/responses/resp_{}/"):
            await client.get(path.format(f"made_up_{number}"))
    assert (await client.request("PROPFIND", "/v1/models")).status_code == 501
    page = (await client.get("/metrics")).text
    assert 'handler="/v1/responses/{response_id}"' in page
    assert "made_up" not in page
    assert "PROPFIND" not in page


async def test_streams_piece_by_piece(client: httpx.AsyncClient) -> None:
    body = {**FIVE, "prompt": "one", "stream": True}
    async with client.stream("POST", "/v1/completions", json=body) as response:
        lines = [line async for line in response.aiter_lines() if line]
    assert len(lines) > 3
    assert lines[-1] == "data: [DONE]"


async def test_model_without_a_ranker_gets_the_median(client: httpx.AsyncClient) -> None:
    name = 'pars_ranking_fail_opens_total{reason="no_ranker",target_llm="none"}'
    assert (await client.post("/v1/completions", json={**FIVE, "model": "plain", "prompt": "x"})).status_code == 200
    assert f"{name} 1.0" in (await client.get("/metrics")).text


async def test_burst_in_the_worst_order_is_served_shortest_first_and_a_client_that_leaves_frees_its_place(
    client: httpx.AsyncClient,
) -> None:
    plug = asyncio.create_task(
        client.post(
            "/v1/completions", json={"model": "demo-llm", "max_tokens": 4000, "ignore_eos": True, "prompt": "x"}
        )
    )
    await wait_for(client, "vllm:num_requests_running", 1)
    finished: list[int] = []

    async def ask(num_words: int) -> None:
        body = {"model": "demo-llm", "max_tokens": 40, "ignore_eos": True, "prompt": "one " * num_words}
        assert (await client.post("/v1/completions", json=body)).status_code == 200
        finished.append(num_words)

    burst = [asyncio.create_task(ask(num_words)) for num_words in NUM_WORDS]
    await wait_for(client, "vllm:num_requests_waiting", len(burst))
    assert not plug.done()
    plug.cancel()
    await asyncio.gather(*burst)
    assert finished == sorted(NUM_WORDS)


async def wait_for(client: httpx.AsyncClient, name: str, value: float) -> None:
    async with asyncio.timeout(60):
        while await metric(client, name) != value:
            await asyncio.sleep(0.05)


async def test_page_shows_nothing_that_only_the_engines_answers_tell(client: httpx.AsyncClient) -> None:
    page = (await client.get("/metrics")).text
    assert "pars_patience_seconds" in page
    for name in ("pars_max_overtaking_seconds", "pars_waiting_seconds", "pars_output_tokens"):
        assert name not in page, "a zero would look like a measurement"


async def test_page_shows_how_well_predictions_hold_once_enough_answers_were_watched(client: httpx.AsyncClient) -> None:
    page = (await client.get("/metrics")).text
    assert 'pars_drift_alarm{target_llm="demo-llm",what="kendall_tau_b"} 0.0' in page
    assert 'pars_kendall_tau_b{target_llm="demo-llm"} 0.0' not in page, "a zero would look like a measurement"


def test_the_engine_stands_back_from_the_server(plain: RunningServer) -> None:
    assert_engine_stands_back(plain)


def test_log_says_which_ranker_is_served(plain: RunningServer) -> None:
    assert "pars-demo-llm version 1 is served." in plain.log.read_text()


async def test_without_the_priority_policy_it_says_so_and_serves_as_if_it_were_not_there(
    tmp_path: Path, demo_llm: Path, ranker_store: str
) -> None:
    flags = "--middleware serving.middleware.ShortestFirst"
    with serve(tmp_path, demo_llm, ranker_store, flags, PARS_TARGET_LLM="demo-llm") as started:
        said = started.log.read_text()
        assert "scheduling policy must be `priority`, but is `fcfs`" in said
        async with started.client() as client:
            assert (await client.post("/v1/completions", json={**FIVE, "prompt": "one"})).status_code == 200


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"PARS_TARGET_LLM": "nobody", "PARS_REQUIRE_RANKER": "on"}, "-e promote -P target_llm=nobody"),
        ({"PARS_RANKERS": "stranger=demo-llm"}, "PARS_RANKERS must name models that are served .*, but got stranger"),
    ],
)
def test_without_what_it_needs_it_does_not_start_and_says_what_to_do(
    tmp_path: Path, demo_llm: Path, ranker_store: str, settings: dict[str, str], message: str
) -> None:
    flags = "--scheduling-policy priority --middleware serving.middleware.ShortestFirst"
    with (
        pytest.raises(RuntimeError, match=message),
        serve(tmp_path, demo_llm, ranker_store, flags, **settings),
    ):
        raise AssertionError("it starts")
