"""What can carry a priority in a header, and what cannot."""

import pytest

from serving.http.header_routes import objection_to_body, objection_to_route, reads_the_header


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses", "/v1/messages", "/invocations"])
def test_route_that_reads_the_header_is_let_through(path: str) -> None:
    assert reads_the_header(path)
    assert objection_to_route(path) is None


@pytest.mark.parametrize(
    "path",
    ["/v1/chat/completions/render", "/v1/responses/resp_1/cancel", "/v1/messages/count_tokens", "/tokenize", "/sleep",
     "/v1/load_lora_adapter", "/inference/v1/abort_requests", "/ping"],
)  # fmt: skip
def test_route_that_sends_nothing_to_the_engine_is_let_through(path: str) -> None:
    assert not reads_the_header(path)
    assert objection_to_route(path) is None


@pytest.mark.parametrize(
    "path",
    ["/v1/chat/completions/batch", "/inference/v1/generate", "/generative_scoring", "/v1/systemone", "/v1/embeddings",
     "/v1/audio/transcriptions", "/v1/something/new", "/v1/completions/"],
)  # fmt: skip
def test_route_that_reads_no_header_or_is_not_known_is_refused_by_name(path: str) -> None:
    objection = objection_to_route(path)
    assert objection is not None
    assert objection.startswith(f"{path} cannot carry a priority")


def test_beam_search_is_refused() -> None:
    assert objection_to_body({"use_beam_search": True}) is not None
    assert objection_to_body({"use_beam_search": False}) is None
    assert objection_to_body(None) is None
