"""The tree of commands.

What a command needs is imported when it runs: the whole package takes seconds, and `--help` none of it.
"""

from typing import Any

import typer
from typer.core import TyperGroup

from shoutgraph.cli import (
    backup,
    clock,
    endpoints,
    features,
    gifts,
    ledger,
    migrate,
    money,
    move,
    payouts,
    people,
    plugins,
    policies,
    prices,
    reputation,
    restore,
    schema,
    seed,
    serve,
    strays,
    suspense,
    token,
    verify_video,
    wallets,
    watch,
    webhooks,
    work,
)
from shoutgraph.cli.demo import command
from shoutgraph.cli.shared import EXPECTED, say_error


class Commands(TyperGroup):
    """Ends every command that cannot go on with one line and exit code 1."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - click's own words
        """Runs a command.

        Raises:
            Exit: it could not do what it should.
        """
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise  # click ends quietly: the reader has seen enough
        except EXPECTED as error:
            say_error(error)
            raise typer.Exit(1) from None


main = typer.Typer(
    name="shoutgraph",
    cls=Commands,
    help="The open-source backend for a marketplace of personalised videos.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
main.command()(serve.serve)
main.command()(work.work)
main.command()(command.demo)
main.command()(watch.watch)
main.command()(token.token)
main.command()(migrate.migrate)
main.command()(backup.backup)
main.command()(restore.restore)
main.command()(move.move)
main.command()(seed.seed)
main.command()(schema.schema)
main.command()(verify_video.verify_video)
main.add_typer(verify_video.keys, name="manifest-keys")
main.add_typer(prices.commands, name="prices")
main.add_typer(policies.commands, name="policy")
main.add_typer(endpoints.commands, name="endpoints")
main.add_typer(features.commands, name="features")
main.add_typer(gifts.commands, name="gifts")
main.add_typer(wallets.commands, name="wallets")
main.add_typer(reputation.commands, name="reputation")
main.add_typer(ledger.commands, name="ledger")
main.add_typer(clock.commands, name="clock")
main.add_typer(strays.commands, name="strays")
main.add_typer(suspense.commands, name="suspense")
main.add_typer(money.commands, name="money")
main.add_typer(webhooks.commands, name="webhooks")
main.add_typer(payouts.commands, name="payouts")
main.add_typer(people.commands, name="people")
main.add_typer(plugins.commands, name="plugins")
