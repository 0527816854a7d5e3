"""vLLM: its engine in a process of its own, and its own OpenAI application. The only file that imports vllm."""

import os
from argparse import Namespace
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from types import SimpleNamespace
from typing import Any, NoReturn

from fastapi import FastAPI
from joblib import cpu_count
from starlette.middleware import Middleware
from vllm.entrypoints.launchers.api_server.app_state import init_app_state
from vllm.entrypoints.launchers.api_server.entry import build_async_engine_client
from vllm.entrypoints.launchers.app import build_app
from vllm.entrypoints.launchers.cli_args import make_arg_parser, validate_parsed_serve_args
from vllm.platforms import current_platform
from vllm.reasoning import ReasoningParserManager
from vllm.tool_parsers import ToolParserManager
from vllm.utils.argparse_utils import FlexibleArgumentParser

from serving.config import Settings, SettingsError
from serving.hosts.cores import give_way, stay_within_quota
from serving.hosts.deafness import born_deaf
from serving.hosts.orphans import no_orphans
from serving.hosts.served_names import check_rankers
from serving.http.route_labels import BoundedLabels
from serving.ranking.prioritiser import Prioritiser

CHOKE_POINTS = ("generate", "encode")
"""The engine client's methods through which every engine request goes."""


class _Parser(FlexibleArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise SettingsError(f"PARS_VLLM_ARGS must hold vLLM flags only: {message}.")


def parse_vllm_args(settings: Settings) -> Namespace:
    """Arguments as vLLM parses them, for these settings.

    Raises:
        SettingsError: a flag that vLLM does not know, or with a wrong value.
    """
    names = dict.fromkeys([settings.target_llm, settings.llm])  # clients may use either; the first one is shown
    ours = ["--model", settings.llm, "--scheduling-policy", "priority"]
    args: Namespace = make_arg_parser(_Parser()).parse_args(  # type: ignore[no-untyped-call]  # vllm is half typed
        [*settings.vllm_flags, *ours]
    )
    if args.model_tag is not None:
        raise SettingsError(f"PARS_VLLM_ARGS must hold vLLM flags only, but got {args.model_tag!r}; set PARS_LLM.")
    args.served_model_name = args.served_model_name or list(names)
    check_rankers(settings, args)
    try:
        validate_parsed_serve_args(args)
    except (TypeError, ValueError) as error:
        raise SettingsError(f"PARS_VLLM_ARGS: {error}") from error
    return args


@asynccontextmanager
async def start_engine(args: Namespace) -> AsyncIterator[Any]:
    """Start the engine's process; yields vLLM's engine client."""
    if args.tool_parser_plugin:
        ToolParserManager.import_tool_parser(args.tool_parser_plugin)
    if args.reasoning_parser_plugin:
        ReasoningParserManager.import_reasoning_parser(args.reasoning_parser_plugin)
    if current_platform.is_cpu():
        stay_within_quota(os.environ, cpu_count())
    async with AsyncExitStack() as stack:
        with born_deaf():
            stack.enter_context(no_orphans())
            client = await stack.enter_async_context(build_async_engine_client(args))
        if current_platform.is_cpu():
            give_way()
        yield client


@asynccontextmanager
async def openai_app(
    client: Any, args: Namespace, prioritiser: Prioritiser, layers: Sequence[Middleware]
) -> AsyncIterator[FastAPI]:
    """The application of vLLM itself, on an engine client whose every request is given our priority."""
    for name in CHOKE_POINTS:
        setattr(client, name, prioritiser.wrap(partial(getattr(type(client), name), client)))
    tasks = await client.get_supported_tasks()
    app = build_app(args, tasks, client.model_config)
    # Appended is innermost: what has no API key costs no ranking. vLLM has built the stack, so it is built anew.
    # Inserted is outermost: vLLM's metrics take labels from what comes to them.
    app.user_middleware.extend(layers)
    app.user_middleware.insert(0, Middleware(BoundedLabels))
    app.middleware_stack = app.build_middleware_stack()
    await init_app_state(client, app.state, args, tasks)
    app.state.server = SimpleNamespace(should_exit=False)  # vLLM's error handler sets it; the service looks for itself
    async with app.router.lifespan_context(app):
        yield app
