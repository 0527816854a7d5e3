"""vLLM's own check of the API key, for what stands outside of it or beside its guarded prefixes."""

from collections.abc import Callable
from typing import Any

from starlette.datastructures import Headers


def api_key_check(vllm_app: Any) -> Callable[[Headers], bool]:
    """Whether a request may pass, as the application's own middleware judges; any may where it has no keys."""
    for middleware in vllm_app.user_middleware:
        if hasattr(middleware.cls, "verify_token"):
            guard = middleware.cls(vllm_app, *middleware.args, **middleware.kwargs)
            check: Callable[[Headers], bool] = guard.verify_token
            return check
    return lambda _: True


def credential_of(headers: Headers) -> str:
    """The API key that a client shows, in either header that has one; empty where it shows none."""
    return headers.get("authorization") or headers.get("x-api-key") or ""
