"""`traffic/collect/`: an endpoint with faults is asked over HTTP, by the command and by its parts."""

import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from registry.errors import InvalidInput
from tests.conftest import Command
from tests.traffic.collect.played_endpoint import Fault, PlayedEndpoint, played
from tests.traffic.logs import write
from traffic.collect import collect as collecting
from traffic.collect.answer_folder import ANSWERS, UNANSWERED, AnswerFolder
from traffic.collect.collect import Collected, Unanswered, collect
from traffic.collect.config import CollectConfig
from traffic.describe import DescribeConfig, describe_log

PROMPTS = [f"prompt {'x' * number}" for number in range(12)]


def prompts_in(folder: Path) -> Path:
    path = folder / "prompts.txt"
    path.write_text("\n".join([*PROMPTS, "", PROMPTS[0]]), encoding="utf-8")
    return path


def ask(endpoint: PlayedEndpoint, folder: Path, **settings: Any) -> Collected:
    defaults: dict[str, Any] = {
        "prompts": None,
        "model": "played-llm",
        "out": folder / "out",
        "concurrency": 4,
        "retry_s": 20,
    }
    defaults["prompts"] = settings.get("prompts") or prompts_in(folder)
    return collect(CollectConfig(base_url=endpoint.url, **{**defaults, **settings}))


def rows_in(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "out" / ANSWERS).read_text().splitlines()]


def test_every_prompt_is_answered_so_many_times_and_the_folder_is_a_log(tmp_path: Path) -> None:
    with played(PlayedEndpoint()) as endpoint:
        collected = ask(endpoint, tmp_path, samples=3, max_tokens=15, temperature=0.5)
    assert (collected.wanted, collected.known, collected.open) == (36, 0, 0)
    assert set(endpoint.asked.values()) == {1}
    assert {body["seed"] for body in endpoint.bodies} == {0, 1, 2}
    assert endpoint.most_at_once <= 4
    row = rows_in(tmp_path)[0]
    assert row["params"] == {"max_tokens": 15, "temperature": 0.5, "seed": 0}
    assert (row["model"], row["prompt_tokens"], row["reasoning_tokens"]) == ("played-llm", 7, 1)
    assert row["messages"][0]["role"] == "user"
    assert "answer" not in row
    assert row["end_to_end_s"] >= 0
    found = describe_log(DescribeConfig(log=tmp_path / "out"))
    assert (found.rows, found.labelled, found.targets) == (36, 36, {"played-llm": 36})
    assert found.censored == 3 * sum(len(one) > 15 for one in PROMPTS)
    assert found.notes == []


def test_what_is_recorded_is_not_asked_again_and_more_samples_are(tmp_path: Path) -> None:
    with played(PlayedEndpoint()) as endpoint:
        ask(endpoint, tmp_path)
        assert ask(endpoint, tmp_path).known == 12
        collected = ask(endpoint, tmp_path, samples=2)
    assert (collected.known, collected.fates["ended"]) == (12, 12)
    assert set(endpoint.asked.values()) == {1}
    assert len({row["request_id"] for row in rows_in(tmp_path)}) == len(rows_in(tmp_path)) == 24


def test_other_parameters_are_other_requests(tmp_path: Path) -> None:
    with played(PlayedEndpoint()) as endpoint:
        ask(endpoint, tmp_path)
        assert ask(endpoint, tmp_path, temperature=0.1).known == 0
        assert ask(endpoint, tmp_path, extra='{"max_tokens": null, "max_completion_tokens": 9}', api="chat").known == 0


def busy_once(before: int) -> web.Response | None:
    return None if before else web.Response(status=429, headers={"Retry-After": "0.2"})


def broken_once(before: int) -> web.Response | None:
    return None if before else web.Response(status=500)


def cut_off_once(before: int) -> web.Response | None:
    return None if before else web.Response(status=499)


def no_json_once(before: int) -> web.Response | None:
    return None if before else web.Response(text="<html>")


@pytest.mark.parametrize("fault", [busy_once, broken_once, cut_off_once, no_json_once])
def test_what_passes_is_tried_again_under_the_same_idempotency_key(tmp_path: Path, fault: Fault) -> None:
    with played(PlayedEndpoint(fault=fault)) as endpoint:
        assert ask(endpoint, tmp_path, concurrency=12).open == 0
    assert set(endpoint.asked.values()) == {2}
    assert set(endpoint.idempotency.values()) == {2}
    assert not (tmp_path / "out" / UNANSWERED).read_text()


def test_what_fails_for_long_is_left_to_the_next_start(tmp_path: Path) -> None:
    with played(PlayedEndpoint(fault=lambda _: web.Response(status=503, headers={"Retry-After": "9999"}))) as endpoint:
        with pytest.raises(Unanswered, match=r"12 of 12 have none: .*503"):
            ask(endpoint, tmp_path)
        assert sum(endpoint.asked.values()) <= 12
        endpoint.fault = None
        collected = ask(endpoint, tmp_path)
    assert (collected.known, collected.fates["ended"]) == (0, 12)


def test_a_request_that_is_refused_is_not_asked_again_and_its_words_stay_in_the_folder(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    refusal = "the prompt 'prompt xx' is too long"
    fault: Fault = lambda _: web.Response(status=400, text=refusal)  # noqa: E731
    with played(PlayedEndpoint(fault=fault)) as endpoint:
        collected = ask(endpoint, tmp_path)
        assert (collected.fates["refused"], collected.open) == (12, 0)
        assert collected.reasons == {"status 400": 12}
        assert ask(endpoint, tmp_path).known == 12
    assert sum(endpoint.asked.values()) == 12
    assert refusal in (tmp_path / "out" / UNANSWERED).read_text()
    assert "prompt x" not in caplog.text


def test_an_endpoint_that_answers_nothing_is_not_asked_to_the_end(tmp_path: Path) -> None:
    path = write(tmp_path / "many.jsonl", [{"prompt": f"question {number}"} for number in range(500)])
    with (
        played(PlayedEndpoint(fault=lambda _: web.Response(status=402))) as endpoint,
        pytest.raises(Unanswered, match=r"500 of 500 have none \(20 in a row got none.*status 402"),
    ):
        ask(endpoint, tmp_path, prompts=path)
    assert sum(endpoint.asked.values()) <= collecting.GIVE_UP_AFTER + 4


def test_an_answer_without_its_tokens_is_none(tmp_path: Path) -> None:
    with played(PlayedEndpoint()) as endpoint:
        endpoint.changes = {"usage": None}
        with pytest.raises(Unanswered, match=r"usage\.completion_tokens: 12"):
            ask(endpoint, tmp_path, retry_s=0)


def test_half_a_line_is_dropped_and_its_request_asked_again(tmp_path: Path) -> None:
    with played(PlayedEndpoint()) as endpoint:
        ask(endpoint, tmp_path)
        answers = tmp_path / "out" / ANSWERS
        answers.write_bytes(answers.read_bytes()[:-9])
        collected = ask(endpoint, tmp_path)
    assert (collected.known, collected.fates["ended"]) == (11, 1)
    assert len(rows_in(tmp_path)) == 12


def test_two_collectors_do_not_write_one_folder(tmp_path: Path) -> None:
    with played(PlayedEndpoint()) as endpoint, AnswerFolder(tmp_path / "out").held():
        with pytest.raises(InvalidInput, match="one collector at a time"):
            ask(endpoint, tmp_path)
        assert not endpoint.asked


def test_texts_of_answers_are_kept_only_if_asked_for(tmp_path: Path) -> None:
    with played(PlayedEndpoint()) as endpoint:
        ask(endpoint, tmp_path, keep_answers="on")
    assert rows_in(tmp_path)[0]["answer"] == "secret answer"


def test_completions_send_the_text_that_a_ranker_reads(tmp_path: Path) -> None:
    with played(PlayedEndpoint()) as endpoint:
        ask(endpoint, tmp_path, api="completions")
    assert {body["prompt"] for body in endpoint.bodies} == set(PROMPTS)
    assert describe_log(DescribeConfig(log=tmp_path / "out")).labelled == 12


def test_a_log_is_asked_anew_with_its_chats_and_tools_and_without_its_answers(tmp_path: Path) -> None:
    tool = {"type": "function", "function": {"name": "look_up", "parameters": {}}}
    chat = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello?"}]
    answered = [*chat, {"role": "assistant", "content": "Hi."}]
    row = {"messages": answered, "tools": [tool], "tool_choice": "auto", "max_tokens": 3, "output_tokens": 2}
    path = write(tmp_path / "log.jsonl", [row, row])
    with played(PlayedEndpoint()) as endpoint:
        ask(endpoint, tmp_path, prompts=path)
        ask(endpoint, tmp_path, prompts=path, tools="off")
    asked, without = endpoint.bodies
    assert (asked["messages"], asked["tools"], asked["tool_choice"]) == (chat, [tool], "auto")
    assert asked["max_tokens"] == 2048
    assert not {"tools", "tool_choice"} & without.keys()


def test_a_key_comes_from_the_environment_and_goes_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["collect", f"--prompts={prompts_in(tmp_path)}", f"--out={tmp_path / 'out'}", "--model=played-llm"]
    with played(PlayedEndpoint(key="sesame")) as endpoint:
        monkeypatch.delenv("OPENAI_API_KEY", raising=False)
        assert command(*words, f"--base-url={endpoint.url}/v1/") == 1
        assert "answers 401; put its key into the environment variable OPENAI_API_KEY" in capsys.readouterr().err
        monkeypatch.setenv("OPENAI_API_KEY", "sesame")
        assert command(*words, f"--base-url={endpoint.url}/v1/") == 0
    told = capsys.readouterr()
    assert "12 requests are settled (12 ended)" in told.out
    held = "".join(path.read_text() for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert "sesame" not in held + told.out + told.err


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"base_url": "localhost:8000"}, "base_url must be the http or https address .* got 'localhost:8000'"),
        ({"base_url": "http://127.0.0.1:9"}, "base_url must be an endpoint that answers"),
        ({"model": "gpt-17"}, "got 'gpt-17'; .* offers played-llm, other-llm"),
        ({"model": None}, "offers played-llm, other-llm"),
        ({"prompts": Path("no-such-file")}, "there is no file no-such-file"),
        ({"samples": 0}, "samples must be at least 1, but got 0"),
        ({"extra": '{"seed": 3}'}, "extra may not hold seed"),
        ({"extra": "[]"}, "extra must be a JSON object"),
        ({"choose": "disagreement"}, "needs either ranker=URI or rankers"),
        ({"ranker": "models:/pars-x/1"}, "choose=disagreement only"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(tmp_path: Path, settings: dict[str, Any], told: str) -> None:
    with played(PlayedEndpoint()) as endpoint:
        config = {"base_url": endpoint.url, "model": "played-llm", "prompts": prompts_in(tmp_path), **settings}
        with pytest.raises(InvalidInput, match=told):
            collect(CollectConfig(out=tmp_path / "out", **config))


def test_a_file_without_prompts_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "prompts.txt"
    path.write_text("\n \n")
    with played(PlayedEndpoint()) as endpoint, pytest.raises(InvalidInput, match="at least one"):
        ask(endpoint, tmp_path, prompts=path)


def test_the_first_or_random_prompts_are_the_same_at_every_start(tmp_path: Path) -> None:
    with played(PlayedEndpoint()) as endpoint:
        ask(endpoint, tmp_path, most=3, choose="first")
        assert {key.split(" #")[0] for key in endpoint.asked} == set(PROMPTS[:3])
        ask(endpoint, tmp_path, most=5)
        assert ask(endpoint, tmp_path, most=5).known == 5


def test_a_session_of_the_prompts_log_goes_along(tmp_path: Path) -> None:
    path = write(tmp_path / "log.jsonl", [{"prompt": "a", "session": "s-1"}, {"prompt": "b", "session": None}])
    with played(PlayedEndpoint()) as endpoint:
        ask(endpoint, tmp_path, prompts=path)
        assert ask(endpoint, tmp_path, prompts=write(tmp_path / "bare.jsonl", [{"prompt": "a"}])).known == 1
    assert {row["messages"][0]["content"]: row["session"] for row in rows_in(tmp_path)} == {"a": "s-1", "b": None}


def test_an_answer_that_its_server_broke_off_is_asked_again(tmp_path: Path) -> None:
    def broken_off_once(before: int) -> web.Response | None:
        choice = {"message": {"content": "ha"}, "finish_reason": "abort"}
        answer = {"choices": [choice], "usage": {"completion_tokens": 1}}
        return None if before else web.json_response(answer)

    with played(PlayedEndpoint(fault=broken_off_once)) as endpoint:
        ask(endpoint, tmp_path, concurrency=12)
    assert {row["ending"] for row in rows_in(tmp_path)} == {"ended"}


def test_a_full_disk_ends_it_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ANSWERS).symlink_to("/dev/full")
    with played(PlayedEndpoint()) as endpoint, pytest.raises(Unanswered, match="No space left on device"):
        ask(endpoint, tmp_path)
    assert sum(endpoint.asked.values()) <= 12
