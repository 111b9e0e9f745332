"""The libraries that have no types, each behind one function that has.

They take a quarter of a second and much memory to import, whoever is paid: `load` is for who will be paid by files.
"""

import functools
import pathlib
from collections.abc import Iterable, Mapping
from typing import Any, Final
from xml.etree.ElementTree import ParseError

SCHEMA: Final = "pain.001.001.09"


def load() -> None:
    """Imports what files are made and checked with, so that it is there, and takes no time, when a payout is due.

    Raises:
        ImportError: it is not there.
    """
    import sepaxml  # type: ignore[import-untyped]  # noqa: F401, PLC0415  # it has no types
    import text_unidecode  # type: ignore[import-untyped]  # noqa: F401, PLC0415  # it has no types
    import xmlschema  # noqa: F401, PLC0415


def plain(text: str) -> str:
    """The text in ASCII, whatever its script was."""
    import text_unidecode  # noqa: PLC0415

    spelled: str = text_unidecode.unidecode(text)
    return spelled


def payment_file(head: Mapping[str, object], payments: Iterable[Mapping[str, object]]) -> bytes:
    """A pain.001 as sepaxml makes it: with random ids, and the time of day. The texts are left as they are."""
    import sepaxml  # noqa: PLC0415

    file = sepaxml.SepaTransfer(dict(head), schema=SCHEMA, clean=False)
    for each in payments:
        file.add_payment(dict(each))
    built: bytes = file.export(validate=False)
    return built


def fault_of(body: bytes) -> str | None:
    """What the schema has against a pain.001, or None."""
    import xmlschema  # noqa: PLC0415

    try:
        _schema().validate(body)
    except (xmlschema.XMLSchemaException, ParseError) as error:
        return str(getattr(error, "reason", None) or error)
    return None


@functools.cache
def _schema() -> Any:  # noqa: ANN401 -- its own types are not those of its functions
    import sepaxml  # noqa: PLC0415
    import xmlschema  # noqa: PLC0415

    return xmlschema.XMLSchema(str(pathlib.Path(sepaxml.__file__).parent / "schemas" / f"{SCHEMA}.xsd"))
