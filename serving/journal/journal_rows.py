"""Rows of the journal, made of a served request by the writer: a row an answer."""

import json
import re
from collections.abc import Container, Iterator
from math import isfinite
from typing import Any

from registry.request import Conversation
from registry.request_features import RequestView
from serving.api_bodies import conversations_of
from serving.journal.identities import session_of, system_prompt_of, tenant_of
from serving.journal.kept_params import without_text
from serving.journal.keys import Identity, Keys
from serving.journal.served_request import ServedRequest
from serving.metrics import NO_RANKER
from traffic.cells.endings import ending_of
from traffic.cells.names import whole_characters
from traffic.cells.params import params_of

MADE_BY_SERVER = re.compile(r"[a-z]+[-_][0-9a-f-]{16,}(-[0-9]+)*")
"""The form of the names that vLLM gives to requests; a client may give them others, with whatever it likes in them."""

ALWAYS = ("prompt", "prompt_tokens", "output_tokens")
"""Null where they are not known, since whoever reads a segment would miss the columns."""


class RowMaker:
    """Makes rows that hold keyed digests of who asked what, and with `keeps_text` the texts too."""

    def __init__(self, keys: Keys, keeps_text: bool, models: Container[str] = ()) -> None:
        """`models` are the names that the operator gave; a client may find a way to name others."""
        self._keys = keys
        self._models = models
        self._keeps_text = keeps_text

    def rows(self, served: ServedRequest) -> Iterator[dict[str, Any]]:
        """Its rows, without what is not known. One that has ended has as many as it has answers; one that has not, one.

        Raises:
            Exception: of any kind, over a body in a form that nobody expected.
        """
        common = self._asked(served) | _placed(served) | _timed(served)
        for answer in sorted(served.output_tokens) or [0]:
            row = common | _ended(served, answer)
            yield {name: value for name, value in row.items() if _is_known(value) or name in ALWAYS}

    def _asked(self, served: ServedRequest) -> dict[str, Any]:
        body, view = served.http_request.body, served.request.view
        conversation = _conversation(served)
        prompt = whole_characters(view.text) if isinstance(view, RequestView) else None
        params = params_of(body) if isinstance(body, dict) else {}
        kept = self._kept(prompt, conversation, params)
        system_prompt = system_prompt_of(conversation) if conversation else None
        return {
            "request_id": self._request_id(served.call.request_id),
            "session": self._name("session", served.call.session or session_of(body)),
            "tenant": self._name("tenant", tenant_of(body)),
            "arrival_s": served.arrival_us / 1e6,
            "model": self._model(served),
            **kept,
            "params": _json(kept["params"]) if kept["params"] else None,
            "prompt_tokens": _prompt_tokens(served),
            "prompt_key": self._keys.of("prompt", prompt) if prompt is not None else None,
            "system_key": self._keys.of("system", system_prompt) if system_prompt else None,
        }

    def _kept(self, prompt: str | None, conversation: Conversation | None, params: dict[str, Any]) -> dict[str, Any]:
        if not self._keeps_text:
            return {"prompt": None, "params": without_text(params)}
        messages = _json(conversation) if prompt is not None and conversation else None
        return {"prompt": prompt, "messages": messages, "params": params}

    def _request_id(self, given: str) -> str:
        if self._keeps_text or MADE_BY_SERVER.fullmatch(given):
            return whole_characters(given)
        return self._keys.of("request", given)

    def _name(self, identity: Identity, name: str | None) -> str | None:
        if name is None or self._keeps_text:
            return None if name is None else whole_characters(name)
        return self._keys.of(identity, name)

    def _model(self, served: ServedRequest) -> str | None:
        """Whose ranker was asked, since several names may stand for one LLM; else the name that vLLM knows it by."""
        if served.admitted is not None and served.admitted.target_llm != NO_RANKER:
            return served.admitted.target_llm
        model = served.request.model
        return model if model in self._models else self._name("model", model)


def _conversation(served: ServedRequest) -> Conversation | None:
    http_request = served.http_request
    conversations = None if http_request.body is None else conversations_of(http_request.path, http_request.body)
    return conversations[min(served.index, len(conversations) - 1)] if conversations else None


def _prompt_tokens(served: ServedRequest) -> int | None:
    ids = getattr(served.last_output, "prompt_token_ids", None)
    return served.request.size.prompt_tokens if ids is None else len(ids)


def _placed(served: ServedRequest) -> dict[str, Any]:
    place = served.admitted.place if served.admitted is not None else None
    found = {"placed_by": served.admitted.source if served.admitted is not None else None}
    if place is None:
        return found
    return found | {
        "predicted_tokens": place.predicted_tokens,
        "instant_tokens": place.instant_tokens,
        "encoder_tokens": place.encoder_tokens,
        "correction": place.correction if place.tier else None,
        "quantile": place.quantile,
        "work_s": place.work_s,
        "fail_open_reason": place.reason,
        "ranker_version": place.ranker.version if place.ranker else None,
        "ranker_digest": place.ranker.digest if place.ranker else None,
    }


def _timed(served: ServedRequest) -> dict[str, Any]:
    stats = getattr(served.last_output, "metrics", None)
    return {
        "time_to_first_token_s": _to_first_token(served, stats),
        "end_to_end_s": _seconds(served.arrival_us, served.ended_us),
        "held_s": _seconds(served.arrival_us, served.handed_on_us or served.ended_us),
        "waiting_s": max(stats.scheduled_ts - stats.queued_ts, 0.0) if stats else None,
        "service_s": max(stats.last_token_ts - stats.scheduled_ts, 0.0) if stats else None,
        "preemptions": stats.num_preemptions if stats else None,
        "cached_tokens": getattr(served.last_output, "num_cached_tokens", None),
    }


def _to_first_token(served: ServedRequest, stats: Any) -> float | None:
    """As its client saw it; of an answer that came as a whole, as vLLM did."""
    if served.call.is_in_pieces or stats is None or not stats.first_token_ts:
        return _seconds(served.arrival_us, served.first_output_us)
    held_s = _seconds(served.arrival_us, served.handed_on_us) or 0.0
    return held_s + max(float(stats.first_token_ts - stats.queued_ts), 0.0)


def _ended(served: ServedRequest, answer: int) -> dict[str, Any]:
    ended_by = served.finish_reasons.get(answer, served.fate)
    is_finished = answer in served.finish_reasons
    return {
        "answer": answer,
        "output_tokens": served.output_tokens.get(answer),
        "ended_by": ended_by,
        "ending": ending_of(ended_by).ending if is_finished else "aborted",
    }


def _seconds(begin_us: int, end_us: int) -> float | None:
    return max(end_us - begin_us, 0) / 1e6 if end_us else None


def _is_known(value: Any) -> bool:
    return value is not None and not (isinstance(value, float) and not isfinite(value))


def _json(value: Any) -> str:
    return whole_characters(json.dumps(value, ensure_ascii=False, default=str))
