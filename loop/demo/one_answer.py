"""One question to what `make demo` made, by the real engine, and where it would stand in a queue: `make answer`."""

import sys

import httpx

from benchmarks.demo.demo import FOLDER, TARGET_LLM
from benchmarks.endpoint.live_server import serve
from registry.errors import UserError
from registry.tracking import configure_tracking

QUESTION = "Name three primary colours."
SHOWN = 60
"""Letters of an answer: with random weights it is gibberish."""
LIMIT_S = 600


def run_answer() -> str:
    """Serve, ask, stop, and return the answer.

    Raises:
        ReplayError: the server did not start; where `make demo` has not run there is neither an LLM nor a ranker.
    """
    settings = {"PARS_TARGET_LLM": TARGET_LLM, "MLFLOW_TRACKING_URI": configure_tracking(), "PARS_REQUIRE_RANKER": "on"}
    FOLDER.mkdir(exist_ok=True)
    with serve(settings, FOLDER / "answer.log") as url, httpx.Client(base_url=url, timeout=LIMIT_S) as client:
        return "\n".join(ask(client, QUESTION))


def ask(client: httpx.Client, question: str) -> list[str]:
    """What a running server answers, and what its ranker had said of the question: lines for a person."""
    chat = {"messages": [{"role": "user", "content": question}]}
    place = client.post("/rank", json=chat).raise_for_status().json()
    done = client.post("/v1/chat/completions", json={"model": TARGET_LLM, **chat}).raise_for_status().json()
    text, tokens = done["choices"][0]["message"]["content"], done["usage"]["completion_tokens"]
    return [
        f"Asked      {question}",
        f"Answered   {' '.join(text.split())[:SHOWN]} ...",
        f"Length     {tokens} tokens; the ranker had predicted {place['predicted_tokens']:.0f}",
        f"Its place  {place['quantile']:.2f} in a queue: 0 goes first, 1 last",
        "Serve on   .venv/bin/bentoml serve (http://127.0.0.1:3000/v1, vLLM's OpenAI API)",
    ]


if __name__ == "__main__":
    try:
        sys.stdout.write(run_answer() + "\n")
    except UserError as error:
        sys.exit(f"Error: {error}")
