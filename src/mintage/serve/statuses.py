"""The gateway's one table from errors to HTTP statuses, and the JSON that a caller gets.

>>> from mintage.errors import ModelUnknownError
>>> answer_error(ModelUnknownError("there is no model 'x'", expected="late"))
(404, b'{"error":"there is no model \\'x\\': expected late","code":"serve.model-unknown"}')
"""

from __future__ import annotations

from http import HTTPStatus

import msgspec

from mintage.errors import (
    BodyTooLargeError,
    ContentTypeError,
    DataError,
    EmptyBatchError,
    EventTimeError,
    InputMissingError,
    InputShapeError,
    InputTypeError,
    InputUnknownError,
    LogUnavailableError,
    MethodNotAllowedError,
    MintageError,
    ModelUnknownError,
    NotFiniteError,
    NotJsonError,
    NotReadyError,
    OutputUnknownError,
    PathUnknownError,
    RequestIdError,
    RequestMalformedError,
    TooManyRowsError,
    UnauthorizedError,
    VersionUnknownError,
)

__all__ = ["STATUSES", "answer_error"]

STATUSES: dict[type[MintageError], HTTPStatus] = {
    NotJsonError: HTTPStatus.BAD_REQUEST,
    RequestMalformedError: HTTPStatus.BAD_REQUEST,
    InputShapeError: HTTPStatus.BAD_REQUEST,
    InputTypeError: HTTPStatus.BAD_REQUEST,
    InputUnknownError: HTTPStatus.BAD_REQUEST,
    InputMissingError: HTTPStatus.BAD_REQUEST,
    NotFiniteError: HTTPStatus.BAD_REQUEST,
    EmptyBatchError: HTTPStatus.BAD_REQUEST,
    RequestIdError: HTTPStatus.BAD_REQUEST,
    EventTimeError: HTTPStatus.BAD_REQUEST,
    OutputUnknownError: HTTPStatus.BAD_REQUEST,
    UnauthorizedError: HTTPStatus.UNAUTHORIZED,
    ModelUnknownError: HTTPStatus.NOT_FOUND,
    VersionUnknownError: HTTPStatus.NOT_FOUND,
    PathUnknownError: HTTPStatus.NOT_FOUND,
    MethodNotAllowedError: HTTPStatus.METHOD_NOT_ALLOWED,
    BodyTooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    TooManyRowsError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    ContentTypeError: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    DataError: HTTPStatus.UNPROCESSABLE_ENTITY,  # the model's own: a value outside its declared domain
    NotReadyError: HTTPStatus.SERVICE_UNAVAILABLE,
    LogUnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
    MintageError: HTTPStatus.INTERNAL_SERVER_ERROR,
}


def answer_error(error: MintageError) -> tuple[int, bytes]:
    """Status and body for an error: ``error`` is for people, ``code`` for programs; ``where`` and ``hint`` if known."""
    status = next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)
    text = error.message
    for word, part in (("expected", error.expected), ("found", error.found)):
        if part is not None:
            text += f"{': ' if text == error.message else ', '}{word} {part}"
    body = {"error": text, "code": error.code, "where": error.where, "hint": error.hint}
    return int(status), msgspec.json.encode({key: value for key, value in body.items() if value is not None})
