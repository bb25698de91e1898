"""The gateway's ASGI application: Open Inference Protocol v2 and plain JSON over HTTP, metrics and one page.

It holds no global state: the routes come in through ``publish`` and are swapped as a whole between two requests, so no
request ever sees half of a change and none is lost. Inference runs inline on the event loop (the model takes
microseconds). A request that is wrong in any way gets its own status, code and message, and costs nothing else.
Nothing is answered that is not logged.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from mintage.errors import (
    BodyTooLargeError,
    ContentTypeError,
    MethodNotAllowedError,
    MintageError,
    ModelUnknownError,
    NotReadyError,
    PathUnknownError,
    UnauthorizedError,
    VersionUnknownError,
)
from mintage.serve import limits, metrics
from mintage.serve.invocations import rows_of
from mintage.serve.logwriter import Log
from mintage.serve.oip import (
    InferRequest,
    InferResponse,
    encode_response,
    event_time_of,
    parse_request,
    request_columns,
    request_id_of,
    select_outputs,
)
from mintage.serve.openapi import openapi
from mintage.serve.outputs import Declared
from mintage.serve.pages import render_index
from mintage.serve.plainrow import Columns, checked_rows, parse_rows, plain_answers, unusual_of_rows
from mintage.serve.predictionlog import Entry, encode_entry
from mintage.serve.routes import Route, Served
from mintage.serve.split import Variant
from mintage.serve.statuses import answer_error
from mintage.serve.tokens import Tokens
from mintage.serve.trial import Trial
from mintage.serve.trialpage import POLICY, render_trial

__all__ = ["App"]

_log = logging.getLogger("mintage.serve")

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
_Answer = tuple[int, bytes, bytes]

_JSON = b"application/json"
_HTML = b"text/html; charset=utf-8"
_POLICY = b"default-src 'none'; style-src 'unsafe-inline'"
_OPEN = frozenset(["/v2/health/live", "/v2/health/ready"])
_EPOCH = datetime(1970, 1, 1)


class _Answered(NamedTuple):
    """Who answered what."""

    model: str
    variant: Variant
    root: str
    request_id: str
    event_time: datetime | None


class App:
    """One gateway's application; ``log`` is where predictions go, ``tokens`` are asked for unless they are None.

    With a ``trial`` its page is a form to try that model.
    """

    def __init__(self, log: Log, *, version: str, tokens: Tokens | None = None, trial: Trial | None = None) -> None:
        self._log = log
        self._tokens = tokens
        self._trial = trial
        self._version = version
        self._metrics = metrics.Metrics()
        self._routes: Mapping[str, Route] = {}
        self._waiting: tuple[str, ...] | None = None
        self._generation = 0
        self._problems: tuple[str, ...] = ()

    def publish(
        self, routes: Mapping[str, Route], *, waiting: tuple[str, ...], generation: int, problems: tuple[str, ...]
    ) -> None:
        """Swap to new routes. ``waiting`` are desired models that are not live; call it on the event loop's thread."""
        self._routes, self._waiting = routes, waiting
        self._generation, self._problems = generation, problems

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        extra: tuple[tuple[bytes, bytes], ...] = ()
        try:
            status, content_type, body = await self._answer(scope, receive)
        except MintageError as error:
            model = self._model_of(scope["path"])
            self._metrics.failed(model, error.code)
            status, body = answer_error(error)
            content_type = _JSON
            if isinstance(error, MethodNotAllowedError):
                extra = ((b"allow", (error.expected or "").encode()),)
            elif isinstance(error, UnauthorizedError):
                extra = ((b"www-authenticate", b"Bearer"),)
        except _Disconnected:
            return
        except Exception:  # noqa: BLE001 - the process survives whatever one request does
            _log.exception("a request failed")
            self._metrics.failed(self._model_of(scope["path"]), "serve.internal")
            status, content_type = 500, _JSON
            body = b'{"error":"the gateway failed on this request; its log has the cause","code":"serve.internal"}'
        headers = [(b"content-type", content_type), (b"content-length", b"%d" % len(body)), *extra]
        if content_type is not _JSON:
            headers.append((b"content-security-policy", _POLICY if self._trial is None else POLICY))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Message, receive: Receive) -> _Answer:
        path: str = scope["path"]
        if self._tokens is not None:
            _need_token(scope, self._tokens)
        parts = path.strip("/").split("/")
        if parts[:2] == ["v2", "models"] and len(parts) > 2:
            return await self._answer_model(parts[2], parts[3:], scope, receive)
        if (parts[0] == "predict" and len(parts) == 2) or parts == ["invocations"]:
            model = parts[1] if len(parts) == 2 else self._only()
            self._route(model)
            _need_method(scope, "POST")
            _need_json(scope)
            body = await _read_body(receive)
            return self._answer_plain(self._route(model), body, is_plain=len(parts) == 2)
        page = self._page(path if path == "/" else path.rstrip("/"))
        _need_method(scope, "GET")
        return page()

    def _page(self, path: str) -> Callable[[], _Answer]:
        pages = {
            "/": self._index,
            "/metrics": self._render_metrics,
            "/openapi.json": self._openapi,
            "/v2": self._server,
            "/v2/health/live": lambda: (200, _JSON, b'{"live":true}'),
            "/v2/health/ready": self._ready,
        }
        if path not in pages:
            raise PathUnknownError("there is nothing at this path", expected=", ".join(pages), found=path[:200])
        return pages[path]

    async def _answer_model(self, model: str, rest: list[str], scope: Message, receive: Receive) -> _Answer:
        route = self._route(model)
        only: str | None = None
        if len(rest) >= 2 and rest[0] == "versions":
            only, rest = rest[1], rest[2:]
            if only not in [served.root for _, served in route.served()]:
                raise VersionUnknownError(
                    f"{model} has no such version live",
                    expected=", ".join(served.root for _, served in route.served()),
                    found=only[:80],
                )
        if rest == ["infer"]:
            _need_method(scope, "POST")
            _need_json(scope)
            body = await _read_body(receive)
            return self._infer(self._route(model), only, body)  # the route of now: it may have been swapped meanwhile
        if rest not in ([], ["ready"]):
            raise PathUnknownError(
                "there is nothing at this path", expected=f"/v2/models/{model}[/versions/ROOT][/ready or /infer]"
            )
        _need_method(scope, "GET")
        if rest:
            return self._model_ready(route)
        return 200, _JSON, msgspec.json.encode(_metadata(route, only))

    def _infer(self, route: Route, only: str | None, body: bytes) -> _Answer:
        """Parse, choose, predict, log, encode: the hot path."""
        started = time.perf_counter()
        request = parse_request(body)
        request_id = request_id_of(request) or str(uuid.uuid4())
        event_time = event_time_of(request)
        variant, served = route.choose(request_id) if only is None else _by_root(route, only)
        columns, rows = request_columns(request, served.inputs, max_rows=limits.ROWS)
        prediction = served.predict(columns)
        outputs, scores, labels = served.outputs.give(prediction, rows)
        answer = encode_response(
            InferResponse(
                model_name=route.model,
                model_version=served.root,
                id=request_id,
                parameters=_parameters(variant, prediction.flags),
                outputs=select_outputs(request, outputs),
            )
        )
        who = _Answered(route.model, variant, served.root, request_id, event_time)
        self._keep(who, columns, scores, labels, started=started)
        if prediction.flags:
            self._metrics.flagged(route.model, prediction.flags)
        return 200, _JSON, answer

    def _only(self) -> str:
        """The one model that is live: MLflow's protocol names none."""
        if len(self._routes) != 1:
            raise ModelUnknownError(
                f"{len(self._routes)} models are live, and the request names none",
                expected="one",
                hint="ask /predict/MODEL or /v2/models/MODEL/infer",
            )
        return next(iter(self._routes))

    def _answer_plain(self, route: Route, body: bytes, *, is_plain: bool) -> _Answer:
        """Rows as plain JSON objects, or as MLflow's protocol has them."""
        started = time.perf_counter()
        signature = route.champion.signature  # the challenger's has the same inputs and outputs
        if is_plain:
            asked = parse_rows(body, signature, max_rows=limits.ROWS)
        else:
            asked = checked_rows(rows_of(body), signature, max_rows=limits.ROWS)
        request = InferRequest(inputs=[], id=asked.id, parameters={"event_time": asked.time})
        request_id = request_id_of(request) or str(uuid.uuid4())
        event_time = event_time_of(request)
        variant, served = route.choose(request_id)
        prediction = served.predict(asked.columns)
        outputs, scores, labels = served.outputs.give(prediction, asked.rows)
        answers = plain_answers(outputs, served.outputs.declared, served.signature, asked.rows)
        if prediction.flags:
            unusual = unusual_of_rows(prediction.flags, asked.columns, served.signature, asked.rows)
            answers = [
                answer | {"unusual": odd} if odd else answer for answer, odd in zip(answers, unusual, strict=True)
            ]
        head = {"model": route.model, "version": served.root, "id": request_id, "variant": variant}
        body_of = {"predictions": answers} if not is_plain else {"rows": answers} if asked.is_list else answers[0]
        encoded = msgspec.json.encode(head | body_of)
        who = _Answered(route.model, variant, served.root, request_id, event_time)
        self._keep(who, asked.columns, scores, labels, started=started)
        if prediction.flags:
            self._metrics.flagged(route.model, prediction.flags)
        return 200, _JSON, encoded

    def _keep(
        self, who: _Answered, columns: Columns, scores: Sequence[Any], labels: Sequence[Any], *, started: float
    ) -> None:
        """Log a prediction and count it."""
        seconds = time.perf_counter() - started
        entry = Entry(
            version=0,
            request_id=who.request_id,
            model=who.model,
            root=who.root,
            variant=who.variant,
            source="http",
            ts=time.time_ns() // 1000,
            event_time=None if who.event_time is None else _microseconds(who.event_time),
            latency_us=round(seconds * 1e6),
            scores=scores,
            labels=labels,
            numbers={name: column.tolist() for name, column in columns.items() if column.dtype != object},
            texts={name: column.tolist() for name, column in columns.items() if column.dtype == object},
        )
        self._log.append(encode_entry(entry), len(scores))
        self._metrics.predicted(who.model, who.variant, rows=len(scores), seconds=seconds)

    def _route(self, model: str) -> Route:
        route = self._routes.get(model)
        if route is not None:
            return route
        if self._waiting is None or model in self._waiting:
            raise NotReadyError(f"{model[:80]} is not live", hint="see the problems in live.json")
        raise ModelUnknownError(
            f"there is no model {model[:80]!r}", expected=", ".join(self._routes) or "a model, but none is live"
        )

    def _model_of(self, path: str) -> str:
        """The live model that a path names, else an empty text: labels never come from callers."""
        parts = path.split("/", 4)
        named = parts[2] if parts[1:2] == ["predict"] and len(parts) > 2 else parts[3] if len(parts) > 3 else ""
        return named if named in self._routes else ""

    def _ready(self) -> _Answer:
        now = datetime.now(UTC)
        if self._waiting is None:
            raise NotReadyError("no desired state was applied yet", where="desired.json")
        if self._waiting:
            raise NotReadyError("models are not live", found=", ".join(self._waiting), hint="see live.json")
        expired = [model for model, route in self._routes.items() if route.expired(now)]
        if expired:
            raise NotReadyError("models have expired", found=", ".join(expired), hint="certify and release them again")
        return 200, _JSON, b'{"ready":true}'

    def _model_ready(self, route: Route) -> _Answer:
        if route.expired(datetime.now(UTC)):
            raise NotReadyError(f"{route.model} has expired", hint="certify and release it again")
        return 200, _JSON, msgspec.json.encode({"name": route.model, "ready": True})

    def _server(self) -> _Answer:
        return 200, _JSON, msgspec.json.encode({"name": "mintage", "version": self._version, "extensions": []})

    def _index(self) -> _Answer:
        if self._trial is not None:
            return 200, _HTML, render_trial(self._route(self._trial.model), self._trial).encode()
        page = render_index(self._routes, generation=self._generation, problems=self._problems)
        return 200, _HTML, page.encode()

    def _openapi(self) -> _Answer:
        found = openapi(self._routes, version=self._version, has_tokens=self._tokens is not None)
        return 200, _JSON, msgspec.json.encode(found)

    def _render_metrics(self) -> _Answer:
        roots = [(r.model, served.root, variant) for r in self._routes.values() for variant, served in r.served()]
        return (
            200,
            metrics.CONTENT_TYPE.encode(),
            self._metrics.render(generation=self._generation, roots=roots).encode(),
        )


class _Disconnected(Exception):
    """The caller went away before the request was complete."""


def _by_root(route: Route, root: str) -> tuple[Variant, Served]:
    for variant, served in route.served():
        if served.root == root:
            return variant, served
    raise VersionUnknownError(f"{route.model} has no such version live any more", found=root)


def _metadata(route: Route, only: str | None) -> dict[str, Any]:
    versions = [served.root for _, served in route.served()]
    return {
        "name": route.model,
        "versions": versions if only is None else [only],
        "platform": "onnx_onnxruntime",
        "inputs": [
            {"name": name, "datatype": datatype, "shape": [-1]} for name, datatype in route.champion.inputs.items()
        ],
        "outputs": [_output(declared) for declared in route.champion.outputs.declared],
    }


def _output(declared: Declared) -> dict[str, Any]:
    found: dict[str, Any] = {"name": declared.name, "datatype": declared.datatype, "shape": declared.shape}
    return found if declared.classes is None else found | {"parameters": {"classes": declared.classes}}


def _parameters(variant: Variant, flags: Mapping[str, int]) -> dict[str, str]:
    """Who answered, and which inputs had values that were taken although out of range or never seen."""
    return {"variant": variant, "flagged": ", ".join(flags)} if flags else {"variant": variant}


def _microseconds(moment: datetime) -> int:
    passed = moment - _EPOCH
    return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds


def _need_token(scope: Message, tokens: Tokens) -> None:
    """Refuse who has no token; health is open, because what probes it has none."""
    if scope["path"].rstrip("/") not in _OPEN and not tokens.admit(scope["headers"]):
        raise UnauthorizedError(
            "the request has no token that this gateway knows", expected="the header `authorization: Bearer TOKEN`"
        )


def _need_method(scope: Message, method: str) -> None:
    if scope["method"] != method:
        raise MethodNotAllowedError("the method is not allowed here", expected=method, found=scope["method"][:20])


def _need_json(scope: Message) -> None:
    """Refuse bodies that claim to be anything but plain JSON; without a claim they are taken for it."""
    for name, value in scope["headers"]:
        if name == b"content-type":
            if value.partition(b";")[0].strip().lower() != _JSON:
                raise ContentTypeError(
                    "the body's type is not taken",
                    expected="application/json",
                    found=value[:80].decode("latin-1"),
                    hint="with curl: -H 'content-type: application/json'",
                )
        elif name in (b"content-encoding", b"inference-header-content-length"):
            raise ContentTypeError(
                "the body's encoding is not taken", expected="plain JSON", found=name.decode("latin-1")
            )


async def _read_body(receive: Receive) -> bytes:
    """The whole body; raises BodyTooLargeError, after dropping a bounded rest."""
    chunks: list[bytes] = []
    size = 0
    while size <= limits.DRAIN_BYTES:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Disconnected
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= limits.BODY_BYTES:
            chunks.append(chunk)
        else:
            chunks.clear()
        if not message.get("more_body", False):
            break
    if size > limits.BODY_BYTES:
        raise BodyTooLargeError(
            "the body is too large",
            expected=f"at most {limits.BODY_BYTES} bytes",
            hint="send several requests, or score a file with `mintage predict`",
        )
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)
