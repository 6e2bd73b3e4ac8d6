"""JSON from and to a server that may refuse, be slow, break off, or be something else."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from alharness.errors import RunError
from alharness.text.redaction import redact

if TYPE_CHECKING:
    import requests

CONNECT, PATIENCE, ALTOGETHER = 10.0, 60.0, 600.0
"""Seconds until a server takes a call, between two pieces of its answer, and until the answer is whole."""
PAUSES = (1.0, 4.0)
"""Seconds before a call is tried again."""
BUSY = frozenset({429, 503})
"""What a server says before it has done anything: any call may be tried again."""
PASSING = frozenset({502, 504})
"""What may pass, but perhaps the server has done what was asked."""
AGAIN = "; nothing is lost, and the next call continues"
LONGEST = 300
"""Characters of what a server says that are shown."""


class Server:
    """The server of a labeling tool.

    Args:
        base: its address, to which paths are added.
        tool: name of the tool, for messages.
        variable: name of the environment variable with the token.

    Attributes:
        headers: that go with every call.
    """

    def __init__(self, base: str, *, tool: str, variable: str) -> None:
        self.base, self.tool, self._variable = base, tool, variable
        self.headers: dict[str, str] = {}

    def get(self, path: str, **params: Any) -> Any:
        """What the server has there. Raises RunError."""
        return self._call("GET", path, params=params)

    def post(self, path: str, body: Any) -> Any:
        """Give it something, once: it is not tried again if it may have arrived. Raises RunError."""
        return self._call("POST", path, body=body)

    def put(self, path: str, body: Any = None) -> Any:
        """Give it something that may arrive twice. Raises RunError."""
        return self._call("PUT", path, body=body)

    def _call(self, method: str, path: str, **call: Any) -> Any:
        passing = BUSY | PASSING if method != "POST" else BUSY
        for pause in (*PAUSES, None):
            status, content, answer = self._once(method, path, **call)
            if status not in passing or pause is None:
                break
            told = answer.headers.get("Retry-After", "")
            time.sleep(min(float(told), PATIENCE) if told.isdigit() else pause)
        if status < 300:
            return self._parsed(content, answer)
        raise RunError(f"{self._who}: {self._refusal(status, content, answer)}")

    def _once(
        self, method: str, path: str, *, params: Mapping[str, Any] | None = None, body: Any = None
    ) -> tuple[int, bytes, requests.Response]:
        """Status, content, and all else of the answer. Raises RunError if it does not come whole."""
        try:
            import requests
        except ModuleNotFoundError:
            raise RunError(f"{self._who}: needs the library requests: pip install requests") from None
        until = time.monotonic() + ALTOGETHER
        content = bytearray()
        try:
            with requests.request(
                method,
                f"{self.base}{path}",
                params=params,
                data=None if body is None else json.dumps(body, allow_nan=False).encode(),
                headers={"Accept": "application/json"} | ({"Content-Type": "application/json"} if body else {}),
                auth=self._sign,  # not in `headers`: a .netrc would replace it
                timeout=(CONNECT, PATIENCE),
                allow_redirects=False,  # the token is for this server alone
                stream=True,
            ) as answer:
                for piece in answer.iter_content(1 << 16):
                    content += piece
                    if time.monotonic() > until:
                        raise RunError(f"{self._who}: is slow: no whole answer in {ALTOGETHER:.0f} seconds{AGAIN}")
                return answer.status_code, bytes(content), answer
        except requests.exceptions.SSLError as error:
            raise RunError(f"{self._who}: its certificate cannot be checked ({self._plain(error)})") from None
        except requests.exceptions.ConnectTimeout:
            raise RunError(f"{self._who}: does not answer; is the address right, and does it run?") from None
        except requests.exceptions.ReadTimeout:
            raise RunError(f"{self._who}: no answer in {PATIENCE:.0f} seconds{AGAIN}") from None
        except requests.exceptions.ChunkedEncodingError:
            raise RunError(f"{self._who}: its answer broke off{AGAIN}") from None
        except requests.exceptions.ConnectionError as error:
            if "Read timed out" in str(error):
                raise RunError(f"{self._who}: no answer in {PATIENCE:.0f} seconds{AGAIN}") from None
            if "RemoteDisconnected" in str(error) or "reset" in str(error):
                raise RunError(f"{self._who}: hung up without an answer{AGAIN}") from None
            raise RunError(
                f"{self._who}: cannot be reached; is the address right, and does it run?{self._reason(error)}"
            ) from None
        except (requests.exceptions.RequestException, ValueError) as error:
            raise RunError(f"{self._who}: cannot be called ({self._plain(error)})") from None

    def _sign(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.update(self.headers)
        return request

    @property
    def _who(self) -> str:
        return f"{self.tool} at {self.base}"

    def _parsed(self, content: bytes, answer: requests.Response) -> Any:
        if not content:
            return None
        try:
            return json.loads(content)
        except ValueError:
            kind = answer.headers.get("Content-Type", "").partition(";")[0] or "something"
            what = "its answer broke off" if kind == "application/json" else f"answers with {kind} and not JSON"
            raise RunError(f"{self._who}: {what}; is this the address of {self.tool}?") from None

    def _refusal(self, status: int, content: bytes, answer: requests.Response) -> str:
        said = self._said(content)
        if status in (401, 403):
            what = "needs a token" if not self.headers else "refuses the token"
            return f"{what}{said}; set the variable {self._variable} to one of a user who may do this"
        if 300 <= status < 400:
            return f"has moved to {redact(answer.headers.get('Location', 'another address'))}; give that address"
        if status in (404, 405):
            return f"there is nothing at {answer.request.path_url.partition('?')[0]}{said}; is the address right?"
        if status == 429 or status >= 500:
            return f"answers {status} {answer.reason}{said}{AGAIN}"
        return f"refuses this with {status} {answer.reason}{said}"

    def _said(self, content: bytes) -> str:
        """What the server says of its refusal, in brackets; empty if it says nothing in JSON."""
        try:
            found = json.loads(content)
        except ValueError:
            return ""
        if isinstance(found, Mapping):
            parts = [found[key] for key in ("detail", "message", "validation_errors") if found.get(key)]
            found = "; ".join(part if isinstance(part, str) else json.dumps(part) for part in parts) or found
        if not found:
            return ""
        text = found if isinstance(found, str) else json.dumps(found)
        return f" ({self._plain(text)})"

    def _reason(self, error: Exception) -> str:
        """What the system says, in brackets; the library puts much around it."""
        found = re.search(r"\[Errno -?\d+\] [\w ]+|Name or service not known", str(error))
        return f" ({found[0]})" if found else ""

    def _plain(self, error: object) -> str:
        """A text without secrets, on one line, not too long."""
        text = " ".join(str(error).split())
        for secret in self.headers.values():
            text = text.replace(secret, "***").replace(secret.rpartition(" ")[2], "***")
        return redact(text)[:LONGEST]
