"""All rows of the matrix, in the order of the page."""

from __future__ import annotations

from tests.faults import discord, history, model, slack, whole
from tests.faults.row import Row


def rows() -> list[Row]:
    return [*discord.rows(), *slack.rows(), *history.rows(), *model.rows(), *whole.rows()]
