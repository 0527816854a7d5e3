"""What a replay asks of an endpoint besides answers."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.endpoint.endpoint import Endpoint, choose_that_fit, connect
from benchmarks.failures import ReplayError
from tests.benchmarks.endpoints import CONTEXT_TOKENS, FakeEndpoint, serving
from tests.servers import free_port
from traffic.labelled_prompts import LabelledPrompts


def prompts(*words: int) -> LabelledPrompts:
    texts = tuple("word " * count for count in words)
    return LabelledPrompts.of(texts, np.full(len(words), 10.0), np.zeros(len(words), dtype=np.bool_))


def test_endpoint_tells_its_model_and_its_context() -> None:
    fake = FakeEndpoint()
    with serving(fake) as url:
        endpoint = connect(url, "not-a-secret")
    assert (endpoint.model, endpoint.max_model_tokens) == ("fake-llm", CONTEXT_TOKENS)
    assert fake.keys == {"Bearer not-a-secret"}


def test_no_endpoint_is_an_error_that_names_it() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(ReplayError, match=url):
        connect(url)


@pytest.mark.parametrize(("can_count", "fitting"), [(True, 3), (False, 2)])
def test_prompts_that_do_not_fit_are_left_out(can_count: bool, fitting: int) -> None:
    with serving(FakeEndpoint(can_count)) as url:
        endpoint = connect(url)
        log = prompts(5, CONTEXT_TOKENS, 78, 100)  # without a count, a byte counts as a token
        assert len(choose_that_fit(endpoint, log, fitting)) == fitting
        with pytest.raises(ReplayError, match=f"only {fitting} of 4 do"):
            choose_that_fit(endpoint, log, fitting + 1)


def test_endpoint_without_a_known_context_takes_every_prompt(tmp_path: Path) -> None:
    assert len(choose_that_fit(Endpoint("http://nowhere", "llm"), prompts(5, 10_000), 2)) == 2
