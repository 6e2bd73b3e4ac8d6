"""Credentials never reach a journal, a page, a tracker or a message."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HIDDEN = "***"

# Texts and no compiled patterns: those that a command needs are compiled, and kept, at their first use.
_ADDRESS = r"""(?x)(?<=//)(?:
    [^/\s'"<>]{0,2000}@  # user, or user:password, in front of a host
    # a password with a slash in it; `host:80/x@y` has none
    | [^/\s:@'"<>]{0,200}:(?!\d+(?:[/?\s]|$))[^\s@'"<>]{0,500}@
)"""

_NAME = r"""(?:[\w.-]*[_.-])?(?:
    pass(?:word|wd|phrase|code)?|pwd|secret|token|credentials?|signature|sig|cookie|auth
    |(?:api|access|private|secret|account|shared|signing|encryption|auth)[_-]?key(?:[_-]?id)?|apikey
    |\w*(?:password|passwd|secret|token|apikey)
)"""
"""A name whose value is a secret: in a query string, a header, a setting, a connection string."""

_BODY = r"""(?:"[^"\n]*"|'[^'\n]*'|[^\s&;,'"<>)\]}]+)"""

_ASSIGNED = rf"""(?xi)(?P<name>(?<![\w.-]){_NAME}["']?\s*=\s*){_BODY}"""

# After a colon, prose may follow (`token: expected a number`): a bare value must look like a secret.
_SAID = rf"""(?xi)(?P<name>(?<![\w.-]){_NAME}["']?\s*:\s*)
    (?:"[^"\n]+"|'[^'\n]+'|(?=[^\s,;]*\d)[^\s&;,'"<>)\]}}]{{6,}}|[^\s&;,'"<>)\]}}]{{20,}})"""

_SAID_PLAINLY = r"""(?i)(?P<name>\b(?:password|passwd|passphrase)\s*:\s*)[^\s,;'"]+"""

_HEADER = (
    r"""(?i)(?P<name>\b(?:proxy-)?authorization["']?\s*[:=]\s*["']?(?:(?:bearer|basic|token|digest|negotiate)\s+)?)"""
    r"""[^\s'",;]+"""
)

_SCHEME = r"(?i)(?P<name>\b(?:bearer|basic)\s+)(?=[^\s]*[\d=._-])[\w.~+/=-]{8,}"

_KNOWN = r"""(?xs)
    -----BEGIN\ [A-Z ]*PRIVATE\ KEY-----.*?(?:-----END\ [A-Z ]*PRIVATE\ KEY-----|\Z)
    | \b(?:AKIA|ASIA|ABIA|ACCA|AGPA|AIDA|AROA)[A-Z0-9]{16}\b                       # of Amazon
    | (?<![\w/+=.-])(?=[\w/+]*[A-Z])(?=[\w/+]*[a-z])(?=[\w/+]*\d)[A-Za-z0-9/+]{40}(?![\w/+=.-])  # their secrets
    | \bgh[opsur]_\w{20,} | \bgithub_pat_\w{20,} | \bglpat-[\w-]{16,}              # of code hosts
    | \bhf_[A-Za-z0-9]{16,} | \bsk-[\w-]{16,} | \bxox[abeoprs]-[\w-]{10,}          # of services
    | \bdapi[0-9a-f]{32}(?:-\d)? | \bAIza[\w-]{35}
    | \beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*                                            # a signed web token
"""

_SECRET_NAME = re.compile(
    r"(?:^|_)(?:APIKEY|AUTH|CREDENTIALS?|KEY|PASS(?:CODE|PHRASE|WD|WORD)?|PAT|PW|PWD|SECRET|TOKEN)(?:_|$)",
    re.IGNORECASE,
)
"""Name of a variable whose value is a secret."""
_NO_SECRETS = frozenset({"PWD", "OLDPWD"})  # folders
_WORDS_OF_SETTINGS = frozenset(
    ["true", "false", "none", "null", "yes", "no", "on", "off", "auto", "default", "enabled", "disabled"]
)
_LEAST = 4
"""Fewest characters of a secret: shorter values of variables are ordinary words and numbers."""


def redact(text: str) -> str:
    """The text with `***` instead of everything that looks like a secret.

    That is: user and password of addresses; values of names such as `token`, `password` and `api_key`, in query
    strings, headers and settings; keys of known forms; and the values of this process' environment variables whose
    names look secret.
    """
    if not text:  # as the error of every cell that went well
        return text
    text = _hide_variables(text, os.environ)
    text = re.sub(_KNOWN, HIDDEN, hide_credentials(text))
    for pattern in (_HEADER, _SCHEME, _ASSIGNED, _SAID_PLAINLY, _SAID):
        text = re.sub(pattern, lambda found: found["name"] + HIDDEN, text)
    return text


def hide_credentials(text: str) -> str:
    """The text with the `user:password@` of every address replaced by `***@`; all else stays as it is."""
    return re.sub(_ADDRESS, f"{HIDDEN}@", text)


def _hide_variables(text: str, variables: Mapping[str, str]) -> str:
    # The longest first: one secret may begin with another.
    for secret in sorted(set(_secrets(variables)), key=len, reverse=True):
        # A short one may be part of ordinary words.
        pattern = re.escape(secret) if len(secret) >= 8 else rf"(?<!\w){re.escape(secret)}(?!\w)"
        text = re.sub(pattern, HIDDEN, text)
    return text


def _secrets(variables: Mapping[str, str]) -> Iterator[str]:
    for name, value in variables.items():
        found = [value.strip()] if name not in _NO_SECRETS and _SECRET_NAME.search(name) else []
        if "://" in value and "@" in value:
            with suppress(ValueError):  # it is no address
                found.append(urlsplit(value).password or "")
        for secret in found:
            if len(secret) >= _LEAST and secret.lower() not in _WORDS_OF_SETTINGS:
                yield from (secret, quote(secret, safe=""), quote_plus(secret))
