"""HTTP answer before it is sent."""

from __future__ import annotations

from dataclasses import dataclass, field

JSON_TYPE = "application/json; charset=UTF-8"
XML_TYPE = "text/xml; charset=UTF-8"
HTML_TYPE = "text/html; charset=UTF-8"
TEXT_TYPE = "text/plain; charset=UTF-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """Body, status and the headers that not every answer has."""

    body: bytes
    content_type: str = XML_TYPE
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
