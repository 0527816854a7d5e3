"""How many tokens prompts have, and which of them come with which predicted answers."""

import numpy as np
from tokenizers import Tokenizer

from registry.artefact.joint import JointSample
from registry.order.certain_pairs import Values
from traffic.labelled_prompts import LabelledPrompts


def joint_sample(labelled: LabelledPrompts, predicted_tokens: Values, tokenizer: Tokenizer) -> JointSample:
    """Which prompts come with which predictions; of the tokens that the log does not say the ranker's are taken."""
    return JointSample.of(
        prompt_tokens(labelled, tokenizer),
        predicted_tokens,
        labelled.occurrences.astype(np.float64),
        np.array([len(prompt) for prompt in labelled.prompts], dtype=np.float64),
    )


def prompt_tokens(labelled: LabelledPrompts, tokenizer: Tokenizer) -> Values:
    """Tokens of each prompt: as the log has them; where it says nothing, as the ranker's own tokenizer counts.

    Where the log says it of some, the counts of the others are brought to its scale.
    """
    is_known = np.isfinite(labelled.prompt_tokens)
    if is_known.all():
        return labelled.prompt_tokens
    counted = _counted(labelled, tokenizer)
    scale = labelled.prompt_tokens[is_known].sum() / counted[is_known].sum() if is_known.any() else 1.0
    return np.where(is_known, labelled.prompt_tokens, counted * scale)


def _counted(labelled: LabelledPrompts, tokenizer: Tokenizer) -> Values:
    own = Tokenizer.from_str(tokenizer.to_str())  # another one's limits stay its own
    own.no_truncation()
    own.no_padding()
    texts = [prompt.encode("utf-8", "replace").decode() for prompt in labelled.prompts]  # lone surrogates
    return np.array([max(len(one), 1) for one in own.encode_batch(texts, add_special_tokens=False)], dtype=np.float64)
