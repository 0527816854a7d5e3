"""The server's settings, read from the environment here and nowhere else. A wrong one is named at start."""

import os
import shlex
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from registry.errors import InvalidInput, UserError
from serving.settings.environment import PREFIX, objection_to_value, objections, prepare_libraries
from serving.settings.http_settings import HttpSettings
from serving.settings.journal_settings import JournalSettings
from serving.settings.named_values import pairs
from serving.settings.vllm_flags import refuse_our_flags
from serving.work.step_cost import StepCost

DEMO_TARGET_LLM = "demo-llm"
DEMO_LLM = Path(".demo/llm")
DEMO_VLLM_ARGS = (
    "--dtype float32 --enforce-eager --max-model-len 2048 --max-num-seqs 16"
    " --logits-processors benchmarks.demo.own_ending:OwnEnding"  # ends answers as its random weights never would
    " --enable-auto-tool-choice --tool-call-parser hermes"
    # Random weights would fill JSON with blanks, which it allows.
    " --structured-outputs-config.backend xgrammar --structured-outputs-config.disable_any_whitespace true"
)

FOR_ALL = ""
"""In `Settings.fallback_ranker`, the name that stands for every target LLM."""


class SettingsError(UserError, ValueError):
    """A setting that the server cannot start with; the message names it, its value, and what to do."""


class Settings(HttpSettings, JournalSettings):
    """`PARS_*` variables. Times carry their unit in the name."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    target_llm: str = Field(DEMO_TARGET_LLM, min_length=1)
    """Whose ranker: the champion of `pars-<target_llm>`. Unless given, the name in `PARS_LLM`, or the demo's."""
    rankers: Annotated[Mapping[str, str], NoDecode] = {}
    """Whose ranker for which model name (served or LoRA), as `NAME=TARGET_LLM,NAME=TARGET_LLM`; requests for another
    name get the median. Empty: the ranker of `target_llm` for every name."""
    llm: str = Field(str(DEMO_LLM), min_length=1)
    """Model name or folder for vLLM; by default what `make demo` made."""
    vllm_args: str = DEMO_VLLM_ARGS
    """Any other vLLM flags, as one string; by default the demo's with the demo's model, else none."""
    patience_s: float = Field(120.0, ge=0, le=1e9)
    """No request is overtaken by one that arrived more than this later; 0 is first-come-first-served."""
    ranking: bool = True
    """Off: plain first-come-first-served, and no ranker is needed."""
    ranking_backlog_ms: float = Field(2000.0, ge=0)
    """How long a request may be held for the ranker's encoder while others wait in vLLM's scheduler; then the place of
    the instant tier stands. While the engine could take it, it is not held."""
    ranking_threads: int = Field(1, ge=1)
    """In how many threads the encoder of each target LLM reads."""
    score_cache: int = Field(10_000, ge=0)
    """Of how many texts, for each target LLM, it is remembered what the encoder said; 0 remembers none."""
    correction: bool = True
    """Whether predictions are moved by what the last answers of the same API key and template said of them."""
    cost: str | None = None
    """What a step of this engine costs, so that the queue is ordered by work: prompts count in it too. A file that
    `measure-engine` wrote, or ready-made coefficients by their name; `NAME_OR_FILE,COEFFICIENT=SECONDS,...` assumes
    others for some. Without it the order is by the predicted length of answers alone."""
    cap_by_max_tokens: bool = True
    """Whether a request's own limit of tokens caps its predicted length, and is read by rankers at all. Off where
    limits impose recorded lengths, to measure: there it is the truth."""
    trust_client_priority: bool = False
    """On: a client's non-zero integer `priority` is used as it is, and that request is not ranked."""
    champion_poll_s: float = Field(5.0, gt=0)
    """How often the alias `champion` is looked at."""
    cache: Path = Path(".pars/rankers")
    """Folder of the last ranker that was served here; a start without a champion uses it."""
    fallback_ranker: Annotated[Mapping[str, Path], NoDecode] = {}
    """Folder of a ranker for a start with neither; of several target LLMs each may have its own, as
    `TARGET_LLM=PATH,TARGET_LLM=PATH`."""
    require_ranker: bool = False
    """On: end instead of serving a target LLM first come, first served because there is no ranker for it."""
    ordering_file: Path = Path(".pars/ordering")
    """While this file says `off`, as the tag `ordering` of a registered model may, it is first come, first served."""

    @field_validator("rankers", mode="before")
    @classmethod
    def _split_rankers(cls, given: Any) -> Any:
        return pairs(given, "NAME=TARGET_LLM") if isinstance(given, str) else given

    @field_validator("fallback_ranker", mode="before")
    @classmethod
    def _split_fallback(cls, given: Any) -> Any:
        """One path is for every target LLM, which is what the empty name stands for."""
        if not isinstance(given, str):
            return given
        is_one = "=" not in given or Path(given).exists()
        return {FOR_ALL: given} if is_one and given else pairs(given, "TARGET_LLM=PATH")

    @model_validator(mode="before")
    @classmethod
    def _follow_the_model(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Another model than the demo's brings its own name, and none of the demo's flags."""
        if "llm" in given:
            given = {"target_llm": given["llm"], "vllm_args": "", **given}
        return given

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.request_timeout_s <= self.patience_s:
            raise ValueError(
                f"PARS_REQUEST_TIMEOUT_S must be well above PARS_PATIENCE_S ({self.patience_s:g}),"
                f" but got {self.request_timeout_s:g}; raise it"
            )
        self._check_cost()
        strangers = set(self.fallback_ranker) - {FOR_ALL, *self.target_llms}
        if strangers:
            raise ValueError(
                f"PARS_FALLBACK_RANKER must be one folder, or name target LLMs ({', '.join(self.target_llms)}),"
                f" but got {', '.join(sorted(strangers))}"
            )
        refuse_our_flags(self.vllm_flags)
        return self

    def _check_cost(self) -> None:
        try:
            _ = self.step_cost
        except InvalidInput as error:
            raise ValueError(f"PARS_COST: {error}") from error

    @property
    def step_cost(self) -> StepCost | None:
        """What a step of the engine costs; None where that is not known.

        Raises:
            InvalidInput: no such file or name, or not a step cost.
        """
        return StepCost.read(self.cost) if self.cost else None

    @property
    def vllm_flags(self) -> list[str]:
        """`PARS_VLLM_ARGS`, split as a shell would."""
        try:
            return shlex.split(self.vllm_args)
        except ValueError as error:
            raise ValueError(
                f"PARS_VLLM_ARGS must be flags as in a shell, but got {self.vllm_args!r}: {error}"
            ) from error

    @property
    def target_llms(self) -> list[str]:
        """The target LLMs whose champions rank, each once."""
        return list(dict.fromkeys(self.rankers.values())) or [self.target_llm]

    def fallback_of(self, target_llm: str) -> Path | None:
        """The folder of the ranker that a target LLM has if there is no other; None if there is none."""
        return self.fallback_ranker.get(target_llm, self.fallback_ranker.get(FOR_ALL))

    @property
    def is_demo(self) -> bool:
        """Whether the model is the one that `make demo` made."""
        return Path(self.llm) == DEMO_LLM

    def check_llm(self) -> None:
        """Check that a model folder is there; a name is left to vLLM, which may have to fetch it.

        Raises:
            SettingsError: it looks like a folder, and isn't one.
        """
        looks_like_folder = self.llm.startswith((".", "/", "~")) or self.is_demo
        if looks_like_folder and not Path(self.llm).is_dir():
            raise SettingsError(
                f"PARS_LLM names the folder {self.llm}, which is not there: run `make demo`, or set PARS_LLM."
            )

    def check_fallback(self) -> None:
        """Check that the folders of fallback rankers are there; what is in them is seen when they are needed.

        Raises:
            SettingsError: one is not.
        """
        missing = [str(folder) for folder in self.fallback_ranker.values() if not folder.is_dir()]
        if missing:
            raise SettingsError(f"PARS_FALLBACK_RANKER must be a ranker's folder, but {missing[0]} is not there.")


def load_settings(environment: MutableMapping[str, str] = os.environ) -> Settings:
    """Read the settings, and switch off what the libraries would tell others (unless the user has said otherwise).

    Raises:
        SettingsError: a wrong or unknown setting.
    """
    unknown = objections(environment, (PREFIX + name.upper() for name in Settings.model_fields))
    if unknown:
        raise SettingsError("; ".join(unknown) + ".")
    try:
        settings = Settings()
    except ValidationError as error:
        raise SettingsError("; ".join(objection_to_value(one) for one in error.errors()) + ".") from error
    prepare_libraries(environment, settings.llm, settings.is_demo)
    return settings
