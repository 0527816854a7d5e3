"""`benchmarks/demo/demo_lengths.py`."""

import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks.demo.demo_lengths import make_workload, write_workload
from benchmarks.demo.length_law import KINDS, MANNERS, MAX_TOKENS, SUBJECTS
from registry.errors import InvalidInput
from traffic.length_log import LengthLogSource, read_length_log
from training.judging.ranking_metrics import kendall_tau_b


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("num_prompts", [1000, 3000])
def test_a_perfect_ranker_has_a_tau_of_07_to_08(num_prompts: int, seed: int) -> None:
    rows = make_workload(num_prompts, seed)
    expected = np.array([row.expected_tokens for row in rows])
    drawn = np.array([float(row.output_tokens) for row in rows])
    assert 0.7 <= kendall_tau_b(expected, drawn) <= 0.8


def test_the_law_is_the_product_that_is_stated() -> None:
    for row in make_workload(3680):
        factors = [KINDS[kind] * SUBJECTS[subject] * MANNERS[manner] for kind, subject, manner in _parts(row.prompt)]
        assert row.expected_tokens in factors


def test_lengths_are_modest_with_a_tail() -> None:
    lengths = [row.output_tokens for row in make_workload(3000)]
    assert min(lengths) >= 1
    assert max(lengths) <= MAX_TOKENS
    assert np.quantile(lengths, 0.9) > 4 * np.median(lengths)


def test_no_prompt_states_its_length() -> None:
    for row in make_workload(3680):
        assert not re.search(
            r"\d|\b(words?|tokens?|sentences?|lines?|long)\b", row.prompt.replace("What is the Spanish word", "")
        )


def test_prompts_are_distinct_and_the_seed_decides() -> None:
    rows = make_workload(1000, seed=3)
    assert len({row.prompt for row in rows}) == 1000
    assert rows == make_workload(1000, seed=3)
    assert rows == make_workload(2000, seed=3)[:1000]
    assert rows != make_workload(1000, seed=4)


@pytest.mark.parametrize("num_prompts", [0, 100_000])
def test_it_has_only_so_many_prompts(num_prompts: int) -> None:
    with pytest.raises(InvalidInput, match=f"1 to 3680 prompts, but got {num_prompts}"):
        make_workload(num_prompts)


def test_it_is_a_length_log_of_whole_answers_with_every_split(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_workload(tmp_path / "new" / "log.jsonl", 300)
    log = read_length_log(LengthLogSource(lengths=tmp_path / "new" / "log.jsonl"))
    assert (log.counts.prompts, log.counts.censored_prompts) == (300, 0)
    assert "a limit cut them" not in caplog.text
    assert len(log.part("validation")) > 15
    assert len(log.part("test")) > 15


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
