"""The server's settings, from `serving/config.py`."""

from cli.reference.field_words import model_words
from cli.reference.site_table import code, table
from serving.config import Settings
from serving.settings.environment import PREFIX, RETIRED
from serving.settings.vllm_flags import OUR_VLLM_FLAGS


def server_settings() -> str:
    """`PARS_*`, all of them, by name."""
    rows = sorted((code(PREFIX + name.upper()), *words) for name, *words in model_words(Settings))
    return table(("variable", "takes", "unless given", "meaning"), rows)


def retired_settings() -> str:
    """Those that are left out with a warning."""
    return table(("variable", "why"), ((code(name), why) for name, why in RETIRED.items()))


def refused_flags() -> str:
    """VLLM's flags that are not for `PARS_VLLM_ARGS`."""
    return table(("flag", "instead"), ((code(flag), instead) for flag, instead in OUR_VLLM_FLAGS.items()))
