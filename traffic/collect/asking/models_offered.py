"""An endpoint before it is asked: that it is there, lets us in, and offers the model."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx

from registry.errors import InvalidInput
from traffic.collect.asking.asker import KEY_VARIABLE, auth_headers

VERSION = "/v1"
TIMEOUT_S = 60.0
SHOWN = 10


def find_endpoint(base_url: str, model: str | None) -> tuple[str, str]:
    """The address that routes are appended to, and the model: an endpoint that lists none is believed.

    Raises:
        InvalidInput: there is no such endpoint, it wants another key, or it does not offer the model.
    """
    _check_address(base_url)
    base = base_url.rstrip("/")
    candidates = [base] if base.endswith(VERSION) else [f"{base}{VERSION}", base]
    for address in candidates:
        offered = _offered(address, base_url)
        if offered is not None:
            return address, _chosen(offered, model, base_url)
    if model is None:
        raise InvalidInput(
            f"model must be given where an endpoint lists none, but {base_url} does not; add model=NAME."
        )
    return (base if urlsplit(base).path else candidates[0]), model


def _check_address(base_url: str) -> None:
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidInput(
            f"base_url must be the http or https address of an OpenAI-compatible endpoint, but got {base_url!r};"
            " give one such as http://127.0.0.1:8000/v1."
        )


def _offered(address: str, base_url: str) -> Sequence[str] | None:
    """The models that an endpoint lists; None where it has no such list."""
    try:
        response = httpx.get(f"{address}/models", headers=auth_headers(), timeout=TIMEOUT_S)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise InvalidInput(
            f"base_url must be an endpoint that answers, but {base_url} does not ({type(error).__name__}: {error});"
            " is the server running, and is this its address?"
        ) from error
    if response.status_code in (401, 403):
        raise InvalidInput(
            f"the endpoint must let us in, but {base_url} answers {response.status_code};"
            f" put its key into the environment variable {KEY_VARIABLE}."
        )
    return _names(response) if response.is_success else None


def _names(response: httpx.Response) -> Sequence[str] | None:
    try:
        listed: Any = response.json()["data"]
        return [str(one["id"]) for one in listed]
    except (ValueError, LookupError, TypeError):
        return None


def _chosen(offered: Sequence[str], model: str | None, base_url: str) -> str:
    shown = ", ".join(offered[:SHOWN]) + (f" and {len(offered) - SHOWN} more" if len(offered) > SHOWN else "")
    if model is None and len(offered) == 1:
        return offered[0]
    if model is None:
        raise InvalidInput(
            f"model must be given unless an endpoint offers just one, but {base_url} offers {shown or 'none'};"
            " add model=NAME."
        )
    if offered and model not in offered:
        raise InvalidInput(f"model must be one that the endpoint offers, but got {model!r}; {base_url} offers {shown}.")
    return model
