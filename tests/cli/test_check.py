"""`rivulet check`: each thing in order, what is wrong with it and how to mend it."""

from __future__ import annotations

from bot.check import check
from bot.config import Secrets, Settings
from playground.discord.intents import Intent
from playground.server import Playground
from tests.cli.program import Folder, secrets, settings

WELL = ["database: ok", "model gpt-6-luna: ok", "discord: ok", "slack: ok"]


async def checked(playground: Playground, *, tokens: dict[str, str] | None = None, **more: dict[str, str]):
    """The lines it says, and the exit code."""
    said: list[str] = []
    given = {name.lower(): value for name, value in (secrets(playground) | (tokens or {})).items()}
    here = {"database": {"url": "sqlite://"}} | more
    code = await check(
        Settings.model_validate(settings(playground, **here)), Secrets.model_validate(given), said.append
    )
    return said, code


def expect(said: list[str], *other: tuple[str, str]) -> None:
    """All is well, but for the lines that begin so, and say this."""
    assert len(said) == len(WELL), said
    for line, well in zip(said, WELL, strict=True):
        for beginning, words in other:
            if well.startswith(beginning):
                assert line.startswith(beginning)
                assert line != well
                assert words in line
                break
        else:
            assert line == well


async def test_all_is_well(playground: Playground):
    assert await checked(playground) == (WELL, 0)


async def test_a_wrong_key_is_told_and_the_rest_is_tested(playground: Playground):
    said, code = await checked(playground, tokens={"OPENAI_API_KEY": "wrong"})
    expect(said, ("model", "does not accept the API key. Put a valid one into OPENAI_API_KEY"))
    assert code == 1


async def test_an_unknown_model_is_told(playground: Playground):
    said, code = await checked(playground, openai={"model": "gpt-nothing"})
    assert "has no model “gpt-nothing”. Set [openai] model to one that this server has" in said[1]
    assert code == 1


async def test_an_api_that_is_gone_is_told_with_what_to_do(playground: Playground):
    playground.openai.assistants = "off"
    said, code = await checked(playground, openai={"api": "assistants"})
    expect(said, ("model", 'set api = "responses"'))
    assert code == 1


async def test_a_missing_scope_and_a_missing_intent_are_told(playground: Playground):
    playground.slack.scopes.discard("im:history")
    playground.discord.settings.privileged_intents = Intent.NONE
    said, code = await checked(playground)
    expect(said, ("discord", "Switch its Message Content Intent on"), ("slack", "lacks the scopes im:history"))
    assert code == 1


async def test_refused_tokens_are_told(playground: Playground):
    said, code = await checked(playground, tokens={"DISCORD_TOKEN": "wrong", "SLACK_APP_TOKEN": "xapp-wrong"})
    expect(said, ("discord", "Reset Token"), ("slack", "SLACK_APP_TOKEN: "))
    assert code == 1


async def test_a_database_that_does_not_open_is_told_and_the_rest_is_tested(playground: Playground):
    said, code = await checked(playground, database={"url": "sqlite:////not/there/rivulet.db"})
    expect(said, ("database", "the directory /not/there does not exist"))
    assert code == 1


async def test_servers_out_of_reach_are_told_each(playground: Playground, unused_tcp_port: int):
    absent = Playground()
    absent.url = f"http://127.0.0.1:{unused_tcp_port}"
    said, code = await checked(absent)
    expect(said, ("model", "base_url"), ("discord", "api_url"), ("slack", "api_url"))
    assert code == 1


async def test_without_any_platform_it_says_so_and_tests_the_rest(playground: Playground):
    off = {"DISCORD_TOKEN": "", "SLACK_BOT_TOKEN": "", "SLACK_APP_TOKEN": ""}
    said, code = await checked(playground, tokens=off)
    assert said[0].startswith("environment: no platform is on; set DISCORD_TOKEN, or SLACK_BOT_TOKEN and")
    assert said[1:] == WELL[:2]
    assert code == 2


async def test_half_of_slacks_tokens_are_told_and_not_tried(playground: Playground):
    said, code = await checked(playground, tokens={"SLACK_APP_TOKEN": ""})
    assert said[0].startswith("environment: SLACK_APP_TOKEN is missing")
    assert said[1:] == [*WELL[:3], "slack: not asked without both tokens"]
    assert code == 2


async def test_a_missing_key_is_told_and_not_tried(playground: Playground):
    said, code = await checked(
        playground, tokens={"OPENAI_API_KEY": ""}, openai={"base_url": "https://api.openai.com/v1"}
    )
    assert said[0].startswith("environment: OPENAI_API_KEY is missing")
    assert said[1:] == [WELL[0], "model gpt-6-luna: not asked without a key", *WELL[2:]]
    assert code == 2


async def test_as_a_program_of_which_only_the_first_line_is_read(folder: Folder):
    """It does its work, and does not complain."""
    async with folder.start("check") as program:
        await program.shows("config: ok\n")
        program.hang_up()
        assert await program.ends() == 0
    assert program.errors == ""
