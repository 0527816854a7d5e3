"""Malformed bodies against every generating route of the running server, by its own OpenAPI page: never its failure."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.routes import GENERATING
from tests.servers import VLLM_ARGS, RunningServer, free_port, running

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

BODIES_PER_ROUTE = 200
LEAST_REFUSED = 800
MOST_SEQUENCES = 8
"""A larger `n` or the like is well formed, and only takes long."""
GENERATING_PATHS = {path for path, *_ in GENERATING}
JSON_TYPE = {"Content-Type": "application/json"}

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)
BY_TYPE = {
    "integer": st.integers(-3, 40) | st.integers(),
    "number": st.floats(-3, 3) | st.floats(),
    "string": st.sampled_from(["one", "auto", "json", ""]) | st.text(max_size=20),
    "boolean": st.booleans(),
    "null": st.none(),
}
garbage = st.binary(max_size=40) | st.sampled_from(
    [b"", b"{", b"[" * 100_000, b"null", b"[]", b'"x"', b"NaN", b"\xef\xbb\xbf{}"]
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, demo_llm: Path, ranker_store: str) -> Iterator[RunningServer]:
    """The service with a short context, so that what is well formed after all is soon answered."""
    environment = {
        "MLFLOW_TRACKING_URI": ranker_store,
        "PARS_TARGET_LLM": "demo-llm",
        "PARS_LLM": str(demo_llm),
        "PARS_VLLM_ARGS": f"{VLLM_ARGS} --max-num-seqs 16 --enable-scale-out".replace("4096", "128"),
    }
    port = free_port()
    log = tmp_path_factory.mktemp("malformed") / "log.txt"
    with running(["bentoml", "serve", "--port", str(port)], port, environment, log) as started:
        yield started


def body_schemas(page: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The schema of each field of each POST route that takes JSON."""
    fields = {}
    for path, methods in page["paths"].items():
        content = methods.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json")
        if content is not None:
            fields[path] = _fields(page, content["schema"])
    return fields


def _fields(page: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        return _fields(page, page["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    found = dict(schema.get("properties", {}))
    for part in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        found |= _fields(page, part)
    return found


def values(page: Mapping[str, Any], schema: Mapping[str, Any], depth: int = 3) -> st.SearchStrategy[Any]:
    """Values of a schema's form (which may break its finer rules), and now and then others."""
    if depth == 0:
        return anything
    if "$ref" in schema:
        return values(page, page["components"]["schemas"][schema["$ref"].rpartition("/")[2]], depth)
    if "enum" in schema or "const" in schema:
        return st.sampled_from(schema.get("enum", [schema.get("const")])) | anything
    options = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    if options:
        return st.one_of([values(page, option, depth) for option in options])
    return _of_type(page, schema, depth) | anything


def _of_type(page: Mapping[str, Any], schema: Mapping[str, Any], depth: int) -> st.SearchStrategy[Any]:
    kind = schema.get("type")
    if kind == "array":
        return st.lists(values(page, schema.get("items", {}), depth - 1), max_size=3)
    if kind == "object":
        fields = {name: values(page, field, depth - 1) for name, field in schema.get("properties", {}).items()}
        required = {name: fields.pop(name) for name in schema.get("required", ()) if name in fields}
        return st.fixed_dictionaries(required, optional=fields)
    return BY_TYPE.get(str(kind), anything)


def bodies(page: Mapping[str, Any], path: str, fields: Mapping[str, Any]) -> st.SearchStrategy[bytes]:
    """A body that works, with some fields replaced or left out; or nothing that is JSON at all."""
    working = [body for route, body, _ in GENERATING if route == path] or [{"model": "demo-llm", "prompt": "one"}]
    strategies = {name: values(page, schema) for name, schema in fields.items()}
    absent = object()

    @st.composite
    def spoilt(draw: st.DrawFn) -> bytes:
        body = dict(draw(st.sampled_from(working)))
        names = draw(st.lists(st.sampled_from(sorted({*strategies, *body})), min_size=1, max_size=4, unique=True))
        for name in names:
            value = draw(st.just(absent) | strategies.get(name, anything))
            body.pop(name, None) if value is absent else body.update({name: value})
        for name in ("n", "best_of", "max_tokens", "max_completion_tokens"):
            if isinstance(body.get(name), int) and body[name] > MOST_SEQUENCES:
                body[name] = MOST_SEQUENCES
        return json.dumps(body).encode()

    return spoilt() | garbage if strategies else garbage


def is_clean(response: httpx.Response) -> bool:
    """A success, a client's error that says in JSON what is wrong, or vLLM's word that it does not do that."""
    if response.is_success:
        return True
    try:
        body = response.json()
    except ValueError:
        return False
    is_allowed = response.is_client_error or response.status_code == 501
    return is_allowed and bool(body.get("error") or body.get("detail") or body.get("message"))


def test_no_malformed_body_is_answered_by_anything_but_a_2xx_or_a_clean_error(served: RunningServer) -> None:
    answers: Counter[tuple[str, int]] = Counter()
    unclean: dict[str, str] = {}
    # No connection is used again: the HTTP server closes one after a failure that vLLM answers itself.
    limits = httpx.Limits(max_keepalive_connections=0)
    with httpx.Client(base_url=served.url, timeout=300, headers=JSON_TYPE, limits=limits) as client:
        page = client.get("/openapi.json").json()
        fields = body_schemas(page) | {"/rank": {"prompt": {}, "messages": {}, "max_tokens": {}, "model": {}}}
        fields = {path: fields.get(path, {}) for path in {*GENERATING_PATHS, "/rank"}}

        def attempt(path: str, content: bytes) -> None:
            try:
                response = client.post(path, content=content)
            except httpx.TransportError as error:
                response = httpx.Response(599, text=repr(error))
            answers[path, response.status_code] += 1
            if not is_clean(response):
                what = f"{path} {response.status_code} {response.text[:200]}"
                unclean.setdefault(what, content[:300].decode("latin-1"))

        for path in sorted(fields):
            _try_many(path, bodies(page, path, fields[path]), attempt)
    # The figure that this test is for; `pytest -s` shows it.
    print(f"\n{sum(answers.values())} bodies on {len(fields)} routes: {_by_class(answers)}")  # noqa: T201
    print("\n".join(f"{what}\n    {content}" for what, content in unclean.items()))  # noqa: T201
    assert _by_class(answers)["4xx"] >= LEAST_REFUSED, "what is accepted was well formed after all"
    assert not unclean


def _try_many(path: str, strategy: st.SearchStrategy[bytes], attempt: Any) -> None:
    @seed(0)
    @settings(
        max_examples=BODIES_PER_ROUTE,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def try_one(content: bytes) -> None:
        attempt(path, content)

    try_one()


def _by_class(answers: Mapping[tuple[str, int], int]) -> dict[str, int]:
    by_class: Counter[str] = Counter()
    for (_, status), count in answers.items():
        by_class[f"{status // 100}xx"] += count
    return dict(by_class)
