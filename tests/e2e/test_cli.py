"""The command line as people and machines type it."""

import asyncio
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from tests.api.harness import Client
from tests.e2e import crowd, journal
from tests.e2e.market import Market
from tests.e2e.processes import Nursery, Server, run
from tests.e2e.wire import until

from shoutgraph.cli import main
from shoutgraph.domain.users import ROLES


def _commands() -> Iterator[tuple[str, ...]]:
    root = typer.main.get_command(main)
    for name, command in root.commands.items():  # type: ignore[attr-defined]
        yield (name,)
        yield from ((name, inner) for inner in getattr(command, "commands", ()))


@pytest.mark.parametrize("command", [(), *_commands()], ids=" ".join)
def test_every_command_explains_itself(nursery: Nursery, tmp_path: Path, command: tuple[str, ...]):
    code, said = nursery.run(*command, "--help", log=tmp_path / "help")
    assert (code, "Usage: shoutgraph" in said) == (0, True), said
    assert len(re.findall(r"[.!]\s", said)) >= 1, "it says in a sentence what it does"


def test_a_person_who_mistypes_a_setting_is_told(tmp_path: Path):
    done = run("serve", "--data-dir", tmp_path, SHOUTGRAPH_NO_SUCH="1")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "error: SHOUTGRAPH_NO_SUCH is not a setting; see docs/SETTINGS.md.\n"


def test_a_token_has_the_rights_of_its_role(nursery: Nursery, server: Server, market: Market, tmp_path: Path):
    for role, scopes in ROLES.items():
        subject = market.rich_id if role == "user" else f"tool-{role}"
        code, said = nursery.run("token", subject, "--role", role, "--data-dir", market.folder, log=tmp_path / "token")
        assert code == 0, said
        client = Client(server.url, said.strip())
        viewer = client.data("{ viewer { isAuthenticated scopes user { id } } }")["viewer"]
        client.close()
        assert viewer["isAuthenticated"]
        assert viewer["user"] == ({"id": market.rich_id} if role == "user" else None)
        assert set(viewer["scopes"]) == {scope.name for scope in scopes}
    for wrong in (("--role", "king"), ("--hours", "0"), ("--hours", "9000")):
        code, said = nursery.run("token", "x", *wrong, "--data-dir", market.folder, log=tmp_path / "token")
        assert (code > 0, "Traceback" in said) == (True, False), said


def test_the_schema_is_written_and_checked(nursery: Nursery, tmp_path: Path):
    log, file = tmp_path / "log", tmp_path / "schema.graphql"
    assert nursery.run("schema", "--check", file, log=log)[0] == 1
    assert nursery.run("schema", "--out", file, log=log)[0] == 0
    assert nursery.run("schema", "--check", file, log=log)[0] == 0
    assert nursery.run("schema", log=log) == (0, file.read_text())
    file.write_text(file.read_text() + "\n")
    code, said = nursery.run("schema", "--check", file, log=log)
    assert (code, "is not the schema of this code" in said) == (1, True)


def test_a_new_folder_is_seeded_twice_without_a_change(nursery: Nursery, tmp_path: Path):
    log, folder = tmp_path / "log", tmp_path / "data"
    first, second = (nursery.run("seed", "--data-dir", folder, log=log) for _ in range(2))
    assert first == second
    assert first[0] == 0, first[1]
    assert nursery.run("migrate", "--data-dir", folder, log=log)[0] == 0
    assert nursery.run("plugins", "doctor", "--data-dir", folder, log=log)[0] == 0
    assert nursery.prove(folder) == 0


def test_a_watch_shows_each_move_across_a_restart(nursery: Nursery, server: Server, market: Market, tmp_path: Path):
    log, token = tmp_path / "watch", market.token("desk", "moderator")
    start = asyncio.run(journal.start_of(market, server.port))
    options = ("--url", server.socket_url, "--token", market.token("desk", "service"), "--after", start)
    pid = nursery.start("watch", *options, log=log)
    try:
        orders = asyncio.run(_move_and_restart(server, market, log, token))
    finally:
        os.kill(pid, signal.SIGINT)
        assert nursery.wait(pid) == 0, log.read_text()
    lines = [line for line in log.read_text().splitlines() if "->" in line]
    assert [line.split()[1] for line in lines] == [order_id[-6:] for order_id in orders for _ in range(2)]
    assert [line.split("->")[1].split()[0:2] for line in lines] == [
        ["screening", "submit"],
        ["awaiting", "acceptance"],
    ] * 2
    assert all("1000 coins, @seller" in line for line in lines)
    assert "stopped" in log.read_text()


async def _move_and_restart(server: Server, market: Market, log: Path, token: str) -> list[str]:
    fan = Client(server.url, market.token(market.rich_id))
    desk = Client(server.url, token)

    def move_one(at: int) -> str:
        wish = crowd.wish(market.sellers[at].offer_id, crowd.new_key())
        order = fan.data(crowd.PLACE, input=wish)["orderPlace"]["order"]
        given = {"idempotencyKey": crowd.new_key(), "orderId": order["id"]}
        desk.data(crowd.move("orderScreenPass"), input=given)
        return str(order["id"])

    def shown() -> int:
        return log.read_text().count("->") if log.exists() else 0

    orders = [move_one(0)]
    await until(lambda: shown() == 2)
    server.kill()
    server.start()
    orders.append(move_one(1))
    await until(lambda: shown() == 4)
    fan.close()
    desk.close()
    return orders


@pytest.mark.parametrize("token", ["a.b.c", "of a stranger"])
def test_a_watch_that_may_not_look_says_so_and_ends(
    nursery: Nursery, server: Server, market: Market, tmp_path: Path, token: str
):
    given = market.token(market.rich_id + "x") if token != "a.b.c" else token
    code, said = nursery.run("watch", "--url", server.socket_url, "--token", given, log=tmp_path / "watch")
    assert (code, "error:" in said, "Traceback" in said) == (1, True, False), said
