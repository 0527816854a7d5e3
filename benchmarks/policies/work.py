"""Places by work: what a prompt and its answer cost the engine, in seconds. Pure."""

import numpy as np
import numpy.typing as npt

from benchmarks.policies.places import Values
from registry.artefact.calibration import LengthDistribution

Tokens = npt.NDArray[np.int64]


def prompt_work_places(
    prompt_tokens: Tokens, output_tokens: Tokens, prompt_token_s: float, output_token_s: float
) -> Values:
    """Where requests stand among the work of all of them, 0 to 1, if every answer is taken for the median one.

    That is what the prompts alone tell an order by work, and so what a control of such an order honestly knows.

    Args:
        prompt_tokens: of each request, [requests].
        output_tokens: of each request, [requests]; only their distribution and its median are used.
        prompt_token_s: seconds of a prompt token.
        output_token_s: seconds of an output token; above 0.
    """
    work = LengthDistribution.of(prompt_tokens * prompt_token_s + output_tokens * output_token_s)
    known_s = prompt_tokens * prompt_token_s + float(np.median(output_tokens)) * output_token_s
    return np.array([work.quantile(float(seconds)) for seconds in known_s])
