"""What went wrong, in the words of whoever can put it right: kind, status, and a message that names the endpoint.

Failures of both makers' clients have the same shapes under different classes, so they are told apart by what they
carry. All that a server said is redacted and cut; addresses are never shown.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2
import msgspec

from dashboard.probe.endpoints import Endpoint
from dashboard.probe.protocols import bases_in_words
from dashboard.probe.redaction import Redactor
from dashboard.probe.replies import ClientError, ErrorKind

MOST_SAID = 400
"""Characters of what a server said that a message repeats."""

OF_STATUS: dict[int, ErrorKind] = {
    401: "unauthorised", 403: "unauthorised", 404: "not_found", 408: "timeout",
    429: "rate_limited", 503: "overloaded", 504: "timeout", 529: "overloaded",
}  # fmt: skip

OF_TYPE: dict[str, ErrorKind] = {
    "authentication_error": "unauthorised", "permission_error": "unauthorised", "not_found_error": "not_found",
    "invalid_request_error": "bad_request", "request_too_large": "bad_request", "rate_limit_error": "rate_limited",
    "overloaded_error": "overloaded", "timeout_error": "timeout", "api_error": "server_error",
}  # fmt: skip
"""Types of errors that are told within a stream."""


class Failures:
    """Makes the errors of one endpoint."""

    def __init__(self, endpoint: Endpoint, redact: Redactor) -> None:
        self.endpoint = endpoint
        self.redact = redact

    def error(
        self, kind: ErrorKind, text: str, *, status: int | None = None, retry_after: float | None = None
    ) -> ClientError:
        """An error of this endpoint, named and redacted."""
        message = self.redact.message(f"{self.endpoint.name}: {text}")
        return ClientError(kind, message, status=status, retry_after=retry_after)

    def of(self, raised: Exception, model: str | None = None) -> ClientError:
        """The error for what a maker's client, or the HTTP client beneath it, raised."""
        if isinstance(raised, ClientError):
            return raised
        response = getattr(raised, "response", None)
        if isinstance(response, httpx2.Response):
            return self.of_status(response.status_code, response.headers, _body(response), model)
        cause = raised if isinstance(raised, httpx2.HTTPError) else _http_cause(raised)
        match cause:
            case httpx2.ConnectError() | httpx2.ConnectTimeout() | httpx2.ProxyError() | httpx2.UnsupportedProtocol():
                return self.error("refused", f"no connection ({self._said(_innermost(cause))}). {START_IT}")
            case httpx2.TimeoutException():
                return self.silent(self.endpoint.first_token_s)
            case httpx2.DecodingError():
                return self.error("bad_data", f"its answer can't be unpacked ({self._said(str(cause))}).")
            case httpx2.HTTPError():
                return self.broken(_innermost(cause))
        if isinstance(raised, UnicodeEncodeError):
            return self.error(
                "bad_request", "the prompt holds half a character (a lone surrogate), which can't be sent."
            )
        return self.error("bad_request", f"the request can't be sent ({self._said(str(raised))}).")

    def of_status(
        self, status: int, headers: Mapping[str, str], body: bytes | str, model: str | None = None
    ) -> ClientError:
        """The error for an answer with a status that is none of success."""
        kind = kind_of_status(status)
        wait = retry_after(headers) if status >= 400 else None
        said = self._said(said_in(body))
        answered = f"answered {status}" + (f": {said.rstrip('.')}" if said else "")
        return self.error(kind, f"{answered}. {self._help(kind, status, wait, model)}", status=status, retry_after=wait)

    def told(self, error: Any, model: str | None = None) -> ClientError:
        """The error for one that is told within a stream that had begun with success."""
        fields = error if isinstance(error, dict) else {}
        code = str(fields.get("code"))
        status = int(code) if len(code) == 3 and code.isdecimal() and "400" <= code < "600" else None
        kind: ErrorKind = OF_TYPE.get(str(fields.get("type")), "server_error")
        if status is not None:
            kind = kind_of_status(status)
        said = self._said(_message_of(error)) or "no words"
        helped = self._help(kind, status or 0, None, model)
        return self.error(kind, f"returned an error within its reply: {said.rstrip('.')}. {helped}", status=status)

    def silent(self, seconds: float, begun: bool = False) -> ClientError:
        """The error for a server that says nothing for longer than the endpoint allows."""
        which, until = ("silence_s", "in the middle of its reply") if begun else ("first_token_s", "before its reply")
        return self.error(
            "timeout",
            f"silent for {seconds:g} s {until}. Is it overloaded? `{which}` of the endpoint says how long to wait.",
        )

    def broken(self, why: str = "") -> ClientError:
        """The error for a connection that ends before the reply does."""
        reason = f" ({self._said(why)})" if why else ""
        return self.error(
            "broken", f"the connection ended before the reply did{reason}. The server may have been stopped: ask again."
        )

    def garbled(self, what: str, data: bytes | str = b"") -> ClientError:
        """The error for data that are not what the protocol says."""
        sample = data.decode("utf-8", "backslashreplace") if isinstance(data, bytes) else data
        shown = f": {self._said(sample, 80)!r}" if sample.strip() else ""
        return self.error(
            "bad_data",
            f"{what}{shown}. Does the endpoint speak the {self.endpoint.protocol} protocol at the address declared?",
        )

    def _said(self, text: str, most: int = MOST_SAID) -> str:
        """What a server said, in one line, redacted before it is cut: half a key would not be found."""
        text = self.redact.message(" ".join(text.split()))
        return text if len(text) <= most else f"{text[:most]}..."

    def _help(self, kind: ErrorKind, status: int, wait: float | None, model: str | None) -> str:
        match kind:
            case "unauthorised" if self.endpoint.key is None:
                return "No key is declared for this endpoint: name the environment variable that holds it as its `key`."
            case "unauthorised":
                return f"Is the key in {self.endpoint.key} right, and may it use this model?"
            case "not_found" if model is not None:
                return f'Does it still serve "{model}"? Refresh the list of models.'
            case "not_found":
                return f"Is its address right ({bases_in_words()})?"
            case "rate_limited" | "overloaded":
                when = f"in {wait:g} s" if wait is not None else "in a while"
                return f"Ask again {when}; a lower `in_flight` of the endpoint asks less at once."
            case "timeout":
                return "Ask again, or ask less at once."
            case "server_error" if 300 <= status < 400:
                return "Redirects are not followed: declare the address that it leads to."
            case "server_error":
                return "The server's own log says more; asking again may help."
        return "Change what it objects to, and ask again."


START_IT = "Is the server running, and is its address right?"


def kind_of_status(status: int) -> ErrorKind:
    """The kind of error that an HTTP status tells."""
    if status in OF_STATUS:
        return OF_STATUS[status]
    return "bad_request" if 400 <= status < 500 else "server_error"


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a server asks to wait: a number, or a date in the future; None where it doesn't say."""
    value = (headers.get("retry-after") or "").strip()
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time.time()
        except (ValueError, TypeError, OverflowError):
            return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def said_in(body: bytes | str) -> str:
    """The words of an error's body: the message of the protocols' JSON, else its text; nothing of a page of HTML."""
    try:
        return _message_of(msgspec.json.decode(body))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        text = body if isinstance(body, str) else body.decode("utf-8", "replace")
        return "a page of HTML" if text.lstrip()[:1] == "<" else text


def _message_of(value: Any) -> str:
    """The message in an error's JSON: error.message, message, detail, or error itself."""
    for _ in range(3):
        if not isinstance(value, dict):
            break
        inner = next((value[name] for name in ("error", "message", "detail") if value.get(name)), None)
        if inner is None:
            break
        value = inner
    return value if isinstance(value, str) else "" if value is None else msgspec.json.encode(value).decode()


def _body(response: httpx2.Response) -> bytes:
    try:
        return response.content
    except (httpx2.StreamError, RuntimeError):  # closed before it was read
        return b""


def _http_cause(raised: BaseException) -> httpx2.HTTPError | None:
    cause: BaseException | None = raised
    while cause is not None:
        if isinstance(cause, httpx2.HTTPError):
            return cause
        cause = cause.__cause__ or cause.__context__
    return None


def _innermost(raised: BaseException) -> str:
    """The words of the error that the others were raised from: "Connection refused" rather than "failed"."""
    inner = raised
    while (cause := inner.__cause__ or inner.__context__) is not None:
        inner = cause
    words = inner.strerror if isinstance(inner, OSError) and inner.strerror else str(inner)
    return words or str(raised) or type(raised).__name__
