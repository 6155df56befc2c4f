"""Log lines as event names with data: `WARNING platform.refused turn=7 retry_after=1.2`."""

from __future__ import annotations

import logging

_STANDARD = {*logging.makeLogRecord({}).__dict__, "message", "asctime", "taskName"}
# At DEBUG the SDKs log what people write; at INFO they tell little that Rivulet does not tell itself.
_SDKS = ("discord", "slack_bolt", "slack_sdk", "openai", "httpx2", "httpcore2", "psycopg", "asyncio", "alembic")


class EventFormatter(logging.Formatter):
    """Appends what was given as `extra` as key=value."""

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        data = " ".join(f"{key}={value!r}" for key, value in record.__dict__.items() if key not in _STANDARD)
        first, *rest = line.split("\n", 1)
        return "\n".join([f"{first} {data}".rstrip(), *rest])


def set_up(level: str) -> None:
    """Sends the log to standard error."""
    handler = logging.StreamHandler()
    handler.addFilter(lambda record: record.levelno >= logging.WARNING or not record.name.startswith(_SDKS))
    handler.setFormatter(EventFormatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
