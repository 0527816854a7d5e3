"""The settings of an evaluation; the command line and MLproject read them from here."""

from dataclasses import dataclass, replace
from typing import get_args

from registry.errors import InvalidInput
from registry.ranker import Tier
from traffic.labelled_prompts import MOST_TEST_PROMPTS, require_prompts_to_test
from traffic.length_log import LengthLogSource
from training.judging.target_llm import TestedPart


@dataclass(frozen=True, kw_only=True)
class EvaluationConfig(LengthLogSource):
    """Which rankers, on which rows."""

    rankers: tuple[str, ...] = ()
    """`models:/pars-NAME@champion`, `models:/pars-NAME/VERSION`, or folders."""
    tiers: tuple[Tier, ...] = ("encoder",)
    """Tiers of each ranker that are tested: encoder, instant, or both."""
    models: tuple[str, ...] = ()
    """Several names from the log's column `model`, instead of one in `model`: each ranker is tested on each of these
    target LLMs."""
    baselines: tuple[str, ...] = ()
    """Rankers without a network to compare with, fitted on the log's train split: prompt_length, tfidf_ridge,
    lexical_boosting, feature_boosting, template_mean, outlen_bucket (llm-d's rules on what is asked for)."""
    baseline_prompts: int | None = None
    """Training prompts of a baseline at most; all of them unless given."""
    part: TestedPart = "test"
    """Prompts that are tested: the log's test split, or `all` of the log, for rankers that were trained on none of its
    prompts, for whatever target LLM. Where a ranker's data was grouped otherwise (`group_column`), the test prompts
    that it would have been trained on are left out, and it is said how many. Baselines are fitted on the log itself, so
    they know only `test`."""
    max_prompts: int = MOST_TEST_PROMPTS
    """Test prompts at most, drawn by the seed; 0 tests all of them."""
    seed: int = 0
    """Draws the prompts, the pairings of repeated answers, and which of many groups an interval leaves out together."""

    def __post_init__(self) -> None:
        """Refuse an evaluation of nothing."""
        if not self.rankers and not self.baselines:
            raise InvalidInput(
                "rankers must name at least one ranker, such as models:/pars-NAME@champion, but got none."
            )
        if not self.tiers or not {*self.tiers} <= {*get_args(Tier)}:
            raise InvalidInput(
                f"tiers must be one of {', '.join(get_args(Tier))}, or both, but got {', '.join(self.tiers) or 'none'}."
            )
        require_prompts_to_test("max_prompts", self.max_prompts)
        if self.baseline_prompts is not None and self.baseline_prompts < 2:
            raise InvalidInput(f"baseline_prompts must be at least 2, but got {self.baseline_prompts}.")
        if self.part == "all" and self.baselines:
            raise InvalidInput(
                f"baselines are fitted on the log's train split, so part=all would test them on what they were fitted"
                f" on, but got {', '.join(self.baselines)}; leave out one of the two."
            )
        if self.model is not None and self.models:
            raise InvalidInput(f"give either model or models, but got {self.model!r} and {', '.join(self.models)!r}.")

    @property
    def sources(self) -> list[LengthLogSource]:
        """The log of each target LLM."""
        return [replace(self, model=model, models=()) for model in dict.fromkeys(self.models or (self.model,))]
