"""The connection to a server that speaks OpenAI's protocol.

Everything that an answer needs is called by its path, `client.post("/conversations", ...)`, with plain JSON in and out:
the typed methods of the SDK load and build, within the first question, classes for all that a server might ever say.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx2
from openai import AsyncOpenAI, DefaultAioHttpClient

from bot.errors import ConfigError

# 5 s: an address that does not take a connection by then is down. 600 s: the longest silence before the connection is
# given up for dead; reasoning models think for minutes, and the engine has its own, shorter timeouts for people.
_TIMEOUT = httpx2.Timeout(600.0, connect=5.0)

# 45 s: people think between two questions, and a new connection is two or three ways to the server and back before the
# next one can be sent. Load balancers close idle connections after 60 s and more; one that closes first is no harm, but
# one that does it while a question is on its way is. The SDK keeps them for 5 s. 1000: the SDK's own limit.
_LIMITS = httpx2.Limits(max_connections=1000, keepalive_expiry=45.0)


def open_client(*, api_key: str, base_url: str) -> AsyncOpenAI:
    """A client that never asks twice by itself. An empty key is fine for servers that want none.

    Raises ConfigError where the address is none, or where the certificates that the environment names cannot be read.
    """
    try:
        return AsyncOpenAI(
            api_key=api_key or "none",  # the SDK refuses to start without; a server that wants one answers 401 to this
            base_url=base_url,
            max_retries=0,
            timeout=_TIMEOUT,
            # reads a delta in half of the time that the SDK's usual transport takes, in a third if they come in a rush
            http_client=DefaultAioHttpClient(timeout=_TIMEOUT, limits=_LIMITS),
        )
    except httpx2.InvalidURL as error:
        raise ConfigError(f'[openai] base_url = "{base_url}" is not an address: {error}.') from error
    except OSError as error:  # ssl.SSLError is one
        raise ConfigError(
            f"The certificates that SSL_CERT_FILE or SSL_CERT_DIR name cannot be read: {error}."
        ) from error


def is_openai(base_url: str) -> bool:
    """Whether OpenAI itself (or Azure) answers there, which understands fields that other servers may refuse."""
    return httpx2.URL(base_url).host.endswith((".openai.com", ".openai.azure.com"))


def path(*parts: str) -> str:
    """Where something lies on the server, below its address. Ids may have any characters."""
    return "".join(f"/{quote(part, safe='')}" for part in parts)


def given(**fields: Any) -> dict[str, Any]:
    """The fields that have a value; the server's defaults hold for the others."""
    return {name: value for name, value in fields.items() if value}


def address(client: AsyncOpenAI) -> str:
    """Where it asks, as it was configured."""
    return str(client.base_url).rstrip("/")
