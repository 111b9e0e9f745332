"""The tree of commands."""

import typer

from shoutgraph.cli import ledger, migrate, plugins, schema, seed, serve, token, watch
from shoutgraph.cli.demo import demo

main = typer.Typer(
    name="shoutgraph",
    help="The open-source backend for a marketplace of personalised videos.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
main.command()(serve.serve)
main.command()(demo)
main.command()(watch.watch)
main.command()(token.token)
main.command()(migrate.migrate)
main.command()(seed.seed)
main.command()(schema.schema)
main.add_typer(ledger.commands, name="ledger")
main.add_typer(plugins.commands, name="plugins")
