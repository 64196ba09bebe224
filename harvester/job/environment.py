"""Settings from the environment: the API key, the contact email and the server."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pydantic import ValidationError

from harvester.errors import BadInput
from harvester.job.explain import explain
from harvester.job.groups import Access

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harvester.job.model import Job

VARIABLES = {"NCBI_EMAIL": ("contact", "email"), "HARVESTER_BASE_URL": ("server", "base_url")}
"""Environment variable → the group and key that it sets. An empty variable sets nothing."""


def api_key(environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the API key, which is read from `NCBI_API_KEY` only.

    Raises:
        BadInput: it contains blanks or line ends; the message does not repeat the key.
    """
    key = environ.get("NCBI_API_KEY", "").strip()
    if key and not (key.isascii() and key.isprintable() and " " not in key):
        raise BadInput(
            "NCBI_API_KEY holds blanks or other characters that no API key has; set it to the key "
            "alone."
        )
    return key or None


def redis_password(environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the password of the Redis of `limits.limiter`, read only from the environment."""
    return environ.get("HARVESTER_REDIS_PASSWORD") or None


def with_environment(job: Job, environ: Mapping[str, str] = os.environ) -> Job:
    """Return a job in which the environment has set what the job itself does not set.

    Args:
        job: as it was given; keys that were set explicitly stay.
        environ: see `VARIABLES`.

    Raises:
        BadInput: a variable has a wrong value; names it.
    """
    groups = {name: getattr(job, name) for name in Access.model_fields}
    given = {name: group.model_dump(exclude_unset=True) for name, group in groups.items()}
    origins: dict[tuple[str, ...], str] = {}
    for variable, (group, key) in VARIABLES.items():
        if environ.get(variable) and key not in given[group]:
            given[group][key] = environ[variable]
            origins[group, key] = f"{variable}: "
    if not origins:
        return job
    try:
        access = Access.model_validate(given)
    except ValidationError as error:
        raise explain(error, origins) from None
    return job.model_copy(update=dict(access))
