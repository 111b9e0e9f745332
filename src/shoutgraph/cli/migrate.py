"""`shoutgraph migrate`: brings the database to this release."""

from shoutgraph.cli.shared import DataDir, console, read_settings


def migrate(data_dir: DataDir = None) -> None:
    """Create the database or bring it to this release, in one transaction.

    `serve` does this by itself for the embedded default.
    """
    from shoutgraph.services import schema

    settings = read_settings(data_dir=data_dir)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    before, after = schema.upgrade(settings.database_owner)
    console.print(f"{settings.database_name}: {before or 'nothing'} -> {after}", soft_wrap=True)
