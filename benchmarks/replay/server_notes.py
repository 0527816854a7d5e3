"""What a reader must know of the servers that answered: sentences."""

from collections.abc import Set

import pandas as pd
from scipy.stats import kendalltau

from benchmarks.endpoint.counters.prefix_cache import PrefixCache
from benchmarks.replay.policy_endpoints import PolicyEndpoints


def served_by(endpoints: PolicyEndpoints) -> str:
    """Which server answered, and with which model."""
    urls = {policy: one.url for policy, one in endpoints.of.items()}
    model = endpoints.any.model
    if endpoints.is_ours:
        return f"a server that was started for this replay, which served {model} on the machine of the client"
    if len(set(urls.values())) == 1:
        return f"the endpoint {endpoints.any.url}, which served {model}"
    return f"endpoints that served {model}: " + ", ".join(f"{policy} by {url}" for policy, url in urls.items())


def lengths(endpoints: PolicyEndpoints, answers: pd.DataFrame, limit_tokens: int | None, is_leak_planted: bool) -> str:
    """Where the lengths of the answers came from, and whether they could leak."""
    if limit_tokens is not None:
        return _own_lengths(answers, limit_tokens)
    imposed = "Recorded lengths were imposed with ignore_eos and max_tokens"
    if is_leak_planted:
        return f"{imposed}, and PARS_CAP_BY_MAX_TOKENS was ON: a planted leak, which the control must show."
    if endpoints.is_ours:
        return f"{imposed}, and PARS_CAP_BY_MAX_TOKENS was off, since the cap would leak them into the order."
    return (
        f"{imposed}. Whether the endpoint lets max_tokens cap its predictions cannot be seen from here: if it does"
        " (PARS_CAP_BY_MAX_TOKENS=on), the true lengths leak into its order and this page flatters it."
    )


def _own_lengths(answers: pd.DataFrame, limit_tokens: int) -> str:
    """How those of the answers agree with the recorded ones, by which the oracle goes: no others are known sooner."""
    cut_share = (answers.output_tokens >= limit_tokens).mean()
    same_share = (answers.output_tokens == answers.recorded_tokens).mean()
    tau_b = kendalltau(answers.output_tokens, answers.recorded_tokens).statistic
    other_share = (answers.groupby("request").output_tokens.nunique() > 1).mean()
    return (
        f"The LLM ended its own answers. Every request allowed it the same {limit_tokens} tokens ({cut_share:.1%} of"
        " the answers took them all), so nothing of the truth can leak by max_tokens, though PARS_CAP_BY_MAX_TOKENS"
        f" may be on. {same_share:.1%} of the answers had their recorded length, by which the oracle orders; Kendall's"
        f" tau-b of recorded and served lengths was {tau_b:.3f}. {other_share:.1%} of the requests had"
        " answers of several lengths."
    )


def rankers(endpoints: PolicyEndpoints, policies: Set[str]) -> list[str]:
    """Which rankers a server of our own had."""
    lines = [f"PARS was {endpoints.ranker}."] if endpoints.ranker and "pars" in policies else []
    if "control" in policies:
        lines.append(
            "The control is a ranker of shuffled labels, and in every second replay its mirror image (scores negated):"
            " the server ranked for them as two more target LLMs, whose predictions have the distribution of PARS's."
        )
    return lines


def caches(endpoints: PolicyEndpoints, prefixes: PrefixCache | None) -> str:
    """What earlier traffic, or a replay before, may have left on the server for the next one."""
    ours = endpoints.is_ours
    lines = ["The server started with empty caches and without state of another one."] if ours else []
    if all(one.takes_cache_salt for one in endpoints.of.values()):
        lines += ["Each replay had a prefix cache of its own (cache_salt), so it found no prompt of another replay."]
    else:
        lines += [
            "Every replay sends the same prompts, and the endpoint is none that is known to keep their prefixes apart"
            " (cache_salt, as in vLLM): if it caches prefixes, later replays found those of earlier ones."
        ]
    if prefixes:
        lines += [f"Its prefix cache held {prefixes.found_share:.1%} of their prompt tokens."]
    if not ours:
        lines += ["What else an endpoint that runs already has kept of earlier traffic cannot be seen from here."]
    return " ".join(lines)
