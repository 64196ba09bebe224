"""The address of the Redis that keeps a shared rate limit. It may hold no password."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_HOST = re.compile(r"[A-Za-z0-9_.:%-]+", re.ASCII)
_PORT, _DB = 6379, "0"


def redis_url(text: str) -> str:
    """Return an address with its port and database written out.

    Args:
        text: `redis://HOST:PORT/DB`; the port is 6379 and the database 0 by default.

    Raises:
        ValueError: the address is of another kind, or holds a user or password. The sentence
            repeats neither.
    """
    if "@" in text:
        raise ValueError(
            "no user or password may be part of the address; write redis://HOST:PORT/DB and set "
            "the variable HARVESTER_REDIS_PASSWORD"
        )
    shown = text if len(text) <= 60 and text.isprintable() else text[:20].strip() + "..."
    try:
        parts = urlsplit(text)
        port = parts.port or _PORT
        sound = parts.port != 0 and _HOST.fullmatch(parts.hostname or "")
    except ValueError:
        raise ValueError(f"'{shown}' is not an address, like redis://localhost:6379/0") from None
    if parts.scheme != "redis":
        raise ValueError(
            f"'{shown}' is not the address of a Redis; it begins with redis://, like "
            "redis://localhost:6379/0"
        )
    db = parts.path.removeprefix("/") or _DB
    if not sound or parts.query or parts.fragment or not re.fullmatch(r"[0-9]{1,4}", db):
        raise ValueError(f"'{shown}' is not an address, like redis://localhost:6379/0")
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"redis://{host}:{port}/{int(db)}"
