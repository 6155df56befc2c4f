"""An address that cannot be opened is explained: the address, the reason, the remedy, and never the password."""

from __future__ import annotations

import asyncio
import re
import threading
from pathlib import Path

import pytest
from sqlalchemy import make_url

from adapters.database.open import open_store
from bot.errors import StoreError


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("rivulet.db", r"'rivulet\.db' is not the address of a database; write sqlite:///"),
        ("", r"'' is not the address of a database; write sqlite:///"),
        ("postgresql://ada:s3cret@host:port/x", r":\*\*\*@host:port/x' is not the address of a database"),
        ("mysql+aiomysql://ada:s3cret@host/x", r"mysql\+aiomysql is not a database that .* or postgresql://user"),
        ("oracle+nothing://ada:s3cret@host/x", r"oracle\+nothing is not a database that "),
    ],
)
async def test_an_address_of_another_kind_is_explained(url: str, sentence: str) -> None:
    with pytest.raises(StoreError, match=sentence) as raised:
        await open_store(url)
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("driver", ["+aiosqlite", "+asyncpg"])
async def test_an_address_with_the_driver_of_an_earlier_version_opens(
    driver: str, sqlite_url: str, request: pytest.FixtureRequest
) -> None:
    url: str = sqlite_url if driver == "+aiosqlite" else request.getfixturevalue("postgres_url")
    store = await open_store(url.replace(":", f"{driver}:", 1))
    assert await store.open_turns() == []
    await store.close()


async def test_different_databases_are_opened_at_once(tmp_path: Path) -> None:
    stores = await asyncio.gather(*(open_store(f"sqlite:///{tmp_path}/{number}.db") for number in range(8)))
    for store in stores:
        assert await store.open_turns() == []
        await store.close()


async def test_a_missing_directory_is_explained(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=rf"the directory {tmp_path}/data does not exist; create it"):
        await open_store(f"sqlite:///{tmp_path}/data/rivulet.db")


async def test_a_directory_instead_of_a_file_is_explained(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=rf"{tmp_path} is a directory; name a file in it"):
        await open_store(f"sqlite:///{tmp_path}")


async def test_a_file_that_is_no_database_is_explained_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "rivulet.db"
    file.write_text("my diary, much longer than a header of SQLite\n" * 9)
    with pytest.raises(StoreError, match=rf"{file} is not a SQLite file; move it away"):
        await open_store(f"sqlite:///{file}")
    assert file.read_text().startswith("my diary")


async def test_a_file_that_may_not_be_written_is_explained(tmp_path: Path) -> None:
    (tmp_path / "rivulet.db").touch()
    with pytest.raises(StoreError, match=r"readonly database; .* make sure that Rivulet may write there"):
        await open_store(f"sqlite:///file:{tmp_path}/rivulet.db?mode=ro&uri=true")


@pytest.mark.parametrize("path", ["missing/rivulet.db", "diary.txt", "."])
def test_a_file_that_cannot_be_opened_leaves_no_thread_behind(tmp_path: Path, path: str) -> None:
    (tmp_path / "diary.txt").write_text("my diary, much longer than a header of SQLite\n" * 9)
    with pytest.raises(StoreError):
        asyncio.run(open_store(f"sqlite:///{tmp_path}/{path}"))
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("database")]


async def test_a_postgresql_that_does_not_answer_is_explained() -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1")
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    with pytest.raises(
        StoreError, match=rf"PostgreSQL does not answer at 127\.0\.0\.1:{port} \(.*; start it"
    ) as raised:
        await open_store(f"postgresql://ada:s3cret@127.0.0.1:{port}/x?password=s3cret")
    assert "s3cret" not in str(raised.value)
    assert "postgresql://ada:***@127.0.0.1" in str(raised.value)


async def test_a_postgresql_that_refuses_says_why_in_its_own_words(postgres_url: str) -> None:
    address = make_url(postgres_url)
    for wrong, sentence in (
        (address.set(database="no_such_database"), 'database "no_such_database" does not exist; correct user, '),
        (address.update_query_dict({"ssl": "require"}), r'option "ssl"; correct the options .*\?sslmode=require'),
        (address.update_query_dict({"sslmode": "verify"}), r'sslmode value: "verify"; correct the options '),
    ):
        with pytest.raises(StoreError, match=f"^cannot open the database {re.escape('postgresql://')}.*{sentence}"):
            await open_store(wrong.render_as_string(hide_password=False))
