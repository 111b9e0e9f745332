"""What each table holds about people."""

from collections.abc import Mapping
from typing import Final

PRIVATE: Final[Mapping[str, frozenset[str]]] = {}
