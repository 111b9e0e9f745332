"""`shoutgraph plugins`: what is installed, whether it can work, and a new one."""

import typer

from shoutgraph.cli.plugins import check, doctor, listing, new, switch

commands = typer.Typer(
    help="Look at the payment plugins, switch them, check them, and begin a new one.", no_args_is_help=True
)
commands.command("list")(listing.list_plugins)
commands.command()(listing.show)
commands.command()(doctor.doctor)
commands.command()(switch.enable)
commands.command()(switch.disable)
commands.command()(check.check)
commands.command()(new.new)
