"""`shoutgraph migrate`: brings the database to this release."""

from shoutgraph.cli.shared import DataDir, console, fail, make_data_dir, read_settings
from shoutgraph.domain.errors import StoreUnavailableError
from shoutgraph.services import schema


def migrate(data_dir: DataDir = None) -> None:
    """Create the database or bring it to this release, in one transaction.

    `serve` does this by itself for the embedded default.
    """
    settings = read_settings(data_dir=data_dir)
    make_data_dir(settings)
    try:
        before, after = schema.upgrade(settings.database_path)
    except StoreUnavailableError as error:
        fail(str(error))
    console.print(f"{settings.database_path}: {before or 'nothing'} -> {after}", soft_wrap=True)
