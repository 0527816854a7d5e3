"""Rows that leave the journal, also while a server writes it."""

import stat
from pathlib import Path

import pytest

from registry.errors import InvalidInput
from serving.journal.files.erasure import erase
from serving.journal.keys import find_keys
from tests.conftest import Command
from tests.serving.journal.journals import Engine, Server, rows, written

SECRET = "s" * 32


async def serve(server: Server, folder: Path, *tenants: str) -> None:
    for tenant in tenants:
        await server.serve(Engine(), {"prompt": f"by {tenant}", "user": tenant}, prompt=f"by {tenant}")
    await written(folder, len(tenants))


@pytest.mark.parametrize("kept", ["keyed", "text"])
@pytest.mark.parametrize("is_digest", [True, False], ids=["digest", "as_it_is"])
async def test_the_rows_of_a_tenant_leave_a_journal_that_is_written(tmp_path: Path, kept: str, is_digest: bool) -> None:
    server = Server.start(tmp_path, journal=kept, journal_key=SECRET)
    await serve(server, tmp_path, "ada", "bob", "ada")
    whose = "by ada" if kept == "text" else "ada"  # a text row has the digest of its prompt alone
    identity = "prompt" if kept == "text" else "tenant"
    given = find_keys(tmp_path, SECRET).of(identity, whose) if is_digest else whose
    erased = erase(tmp_path, {identity: given}, SECRET)
    assert (erased.rows, erased.files) == (2, 1)
    await serve(server, tmp_path, "ada")
    server.close()
    keys = find_keys(tmp_path, SECRET)
    names = {keys.of("tenant", one): one for one in ("ada", "bob")}
    assert [names.get(row["tenant"], row["tenant"]) for row in rows(tmp_path)] == ["bob", "ada"], "noted anew"


async def test_a_file_that_held_nothing_else_is_gone(tmp_path: Path) -> None:
    server = Server.start(tmp_path)
    await serve(server, tmp_path, "ada")
    server.close()
    assert erase(tmp_path, {"tenant": "ada"}, None).rows == 1
    assert not list(tmp_path.glob("*.parquet"))


async def test_all_that_is_given_must_hold(tmp_path: Path) -> None:
    server = Server.start(tmp_path)
    await serve(server, tmp_path, "ada", "bob")
    server.close()
    assert erase(tmp_path, {"tenant": "ada", "prompt": "by bob"}, None).rows == 0
    assert erase(tmp_path, {"tenant": "ada", "prompt": "by ada"}, None).rows == 1
    (path,) = tmp_path.glob("*.parquet")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_another_key_finds_nobody(tmp_path: Path) -> None:
    server = Server.start(tmp_path, journal_key=SECRET)
    await serve(server, tmp_path, "ada")
    server.close()
    assert erase(tmp_path, {"tenant": "ada"}, "t" * 32).rows == 0


def test_what_is_no_journal_is_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"a journal is a folder that a server has made, but .*nowhere is none"):
        erase(tmp_path / "nowhere", {"tenant": "ada"}, None)


async def test_the_command_says_what_has_left(
    tmp_path: Path, command: Command, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server.start(tmp_path, journal_key=SECRET)
    await serve(server, tmp_path, "ada", "bob")
    server.close()
    monkeypatch.setenv("PARS_JOURNAL_KEY", SECRET)
    assert command("journal-erase", str(tmp_path), "--tenant", "ada") == 0
    assert f"1 rows of 1 files have left {tmp_path}." in capsys.readouterr().out
    assert command("journal-erase", str(tmp_path)) == 1
    assert "an erasure must say whose rows go" in capsys.readouterr().err
    monkeypatch.setenv("PARS_JOURNAL_KEY", "short")
    assert command("journal-erase", str(tmp_path), "--tenant", "ada") == 1
    said = capsys.readouterr().err
    assert "PARS_JOURNAL_KEY must have at least 16 characters" in said and "'short'" not in said
