"""vLLM flags that are ours to set: a user who gives one is told what to do instead."""

from collections.abc import Mapping

OUR_VLLM_FLAGS: Mapping[str, str] = {
    "--model": "set PARS_LLM instead",
    "--scheduling-policy": "it is always `priority`",
    "--scheduler-cls": "the order is made by priorities, in vLLM's own scheduler",
    "--middleware": "the requests are already ranked inside",
    "--config": "write its flags here, so that they can be checked",
    "--host": "use `bentoml serve --host`",
    "--port": "use `bentoml serve --port`",
    "--uds": "use `bentoml serve --port`",
    "--root-path": "the application is mounted at /",
    "--ssl-keyfile": "use `bentoml serve --ssl-keyfile`",
    "--ssl-certfile": "use `bentoml serve --ssl-certfile`",
    "--ssl-ca-certs": "use `bentoml serve --ssl-ca-certs`",
    "--headless": "the engine runs beside this API server",
    "--api-server-count": "one API server sees all requests, or their order would not be one order",
    "-asc": "one API server sees all requests, or their order would not be one order",
    "--shutdown-timeout": "set PARS_DRAIN_S instead",
    "--grpc": "the server speaks HTTP",
    "--grpc-port": "the server speaks HTTP",
}
"""vLLM flags that the server sets itself, or that would take requests past it; and what to do instead."""


def refuse_our_flags(flags: list[str]) -> None:
    """Check that `PARS_VLLM_ARGS` holds none of them.

    Raises:
        ValueError: it does; the message says what to do instead.
    """
    for flag in flags:
        name = flag.partition("=")[0].replace("_", "-")
        if name in OUR_VLLM_FLAGS:
            raise ValueError(
                f"PARS_VLLM_ARGS must not hold {name}, which the server sets itself: {OUR_VLLM_FLAGS[name]}"
            )
