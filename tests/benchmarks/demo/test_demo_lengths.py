"""`benchmarks/demo/demo_lengths.py`."""

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from benchmarks.demo.applications import AGENT, APPLICATIONS
from benchmarks.demo.demo_lengths import WorkloadRequest, make_workload, write_workload
from benchmarks.demo.law_tables import KINDS, MANNERS, SUBJECTS
from benchmarks.demo.length_law import MAX_TOKENS, Asked, expected_tokens
from registry.errors import InvalidInput
from registry.request_features import asked_features
from traffic.length_log import LengthLogSource, read_length_log
from traffic.read import rows_with_params
from training.judging.baselines.llm_d_rules import bucket_of
from training.judging.ranking_metrics import kendall_tau_b


def tau_of(requests: list[WorkloadRequest], scores: list[float]) -> float:
    tokens = np.array([float(one.output_tokens) for one in requests])
    return kendall_tau_b(np.array(scores), tokens, np.array([one.is_cut for one in requests]))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("num_prompts", [1000, 3000])
def test_a_perfect_ranker_has_a_tau_of_07_to_08(num_prompts: int, seed: int) -> None:
    requests = make_workload(num_prompts, seed)
    assert 0.7 <= tau_of(requests, [one.expected_tokens for one in requests]) <= 0.8


@pytest.mark.parametrize("seed", range(3))
def test_neither_texts_nor_rules_tell_what_requests_do(seed: int) -> None:
    requests = make_workload(3000, seed)
    by_text = [expected_tokens(Asked(one.asked.text, one.asked.system)) for one in requests]
    whole = tau_of(requests, [one.expected_tokens for one in requests])
    assert whole - tau_of(requests, by_text) > 0.1
    by_rules = [float(bucket_of(asked_features(one.params) or ())) for one in requests]
    assert 0.05 < tau_of(requests, by_rules) < whole - 0.4


def test_the_text_s_part_is_the_product_that_is_stated() -> None:
    for request in make_workload(3000):
        factors = [
            KINDS[kind].tokens * SUBJECTS[subject] * MANNERS[manner]
            for kind, subject, manner in _parts(request.asked.text)
        ]
        assert expected_tokens(request.asked.text) in factors


def test_lengths_are_modest_with_a_tail() -> None:
    lengths = [one.output_tokens for one in make_workload(3000)]
    assert min(lengths) >= 1
    assert max(lengths) <= MAX_TOKENS
    assert np.quantile(lengths, 0.9) > 4 * np.median(lengths)


def test_no_prompt_states_its_length() -> None:
    for one in make_workload(3000):
        assert not re.search(
            r"\d|\b(words?|tokens?|sentences?|lines?|long)\b", one.prompt.replace("What is the Spanish word", "")
        )


def test_prompts_are_distinct_and_the_seed_decides() -> None:
    requests = make_workload(1000, seed=3)
    assert len({one.prompt for one in requests}) == 1000
    assert requests == make_workload(1000, seed=3)
    assert requests == make_workload(2000, seed=3)[:1000]
    assert requests != make_workload(1000, seed=4)


def test_each_application_has_its_share() -> None:
    counts = Counter((one.asked.system, one.asked.tools) for one in make_workload(3000))
    assert sum(one.share for one in APPLICATIONS) == pytest.approx(1)
    for one in APPLICATIONS:
        assert counts[one.system, one.tools] / 3000 == pytest.approx(one.share, abs=0.02)
    assert {tools for system, tools in counts if system == AGENT} == {("find_article",), ("save_report",)}


def test_a_cap_cuts_what_is_longer_and_nothing_else() -> None:
    capped = [one for one in make_workload(3000) if "max_tokens" in one.params]
    assert 0.2 < np.mean([one.is_cut for one in capped]) < 0.8
    for one in capped:
        cap = one.params["max_tokens"]
        assert one.output_tokens == cap if one.is_cut else one.output_tokens <= cap


@pytest.mark.parametrize("num_prompts", [0, 100_000])
def test_it_has_only_so_many_prompts(num_prompts: int) -> None:
    with pytest.raises(InvalidInput, match=rf"1 to \d+ prompts, but got {num_prompts}"):
        make_workload(num_prompts)


def test_it_is_a_log_of_our_own_form_with_every_split(tmp_path: Path) -> None:
    path = tmp_path / "new" / "log.jsonl"
    write_workload(path, 300)
    requests = make_workload(300)
    source = LengthLogSource(lengths=path)
    log = read_length_log(source)
    assert (log.counts.prompts, log.counts.censored_prompts) == (300, sum(one.is_cut for one in requests))
    assert len(log.part("validation")) > 15
    assert len(log.part("test")) > 15
    rows = list(rows_with_params(path, source))
    assert [row.text for row in rows] == [one.prompt for one in requests]
    assert [row.params for row in rows] == [one.params for one in requests]


def _parts(prompt: str) -> list[tuple[str, str, str]]:
    """Every (kind, subject, manner) that the prompt can be read as."""
    found = []
    for manner in (one for one in MANNERS if prompt.endswith(one)):
        for kind in KINDS:
            pattern = re.escape(kind).replace(r"\{subject\}", "(.+)").replace(r"\{passage\}", "(?:.+)")
            match = re.fullmatch(pattern, prompt.removesuffix(manner), re.DOTALL)
            if match and match.group(1) in SUBJECTS:
                found.append((kind, match.group(1), manner))
    return found
