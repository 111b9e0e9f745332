"""Trusted documents: those that front ends were built with, asked by id, over every transport.

The manifest is the one that graphql-codegen's client-preset writes, as it is: one JSON object from id to text. Where a
kind of caller is trusted-only, nothing else runs for them.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import orjson

from shoutgraph.api.failures import Code, FailureError
from shoutgraph.api.graphql.execution import Request
from shoutgraph.domain.errors import FaultError
from shoutgraph.domain.users import CallerKind, Viewer, kind_of

MANIFEST_BYTES_MAX: Final = 16 * 2**20
DOCUMENTS_MAX: Final = 20_000
MANIFESTS_MAX: Final = 100
"""Files of a folder: front ends of several releases are in use at once."""
ID_CHARS_MAX: Final = 200


class ManifestError(FaultError):
    """A manifest cannot be used; the message says which and why."""


class TrustedDocuments:
    """The documents of the manifests by their ids, and for whom there are no others."""

    def __init__(self, texts: Mapping[str, str] | None = None, *, only: Collection[CallerKind] = ()) -> None:
        self._texts: Final = dict(texts or {})
        self._only: Final = frozenset(only)
        self._known: Final = frozenset(self._texts.values())

    def find(self, request: Request, viewer: Viewer) -> Request:
        """The request with the document that it names.

        Raises:
            FailureError: nothing is stored under this id, or this caller may ask for stored documents only.
        """
        found = None if request.document_id is None else self._find(request.document_id)
        if found is not None:
            return replace(request, query=found)
        if not request.query and request.automatic:
            raise FailureError(Code.PERSISTED_NOT_SUPPORTED, "PersistedQueryNotSupported")
        if not request.query:
            raise FailureError(Code.PERSISTED_NOT_FOUND, "No document is stored under this id.")
        if kind_of(viewer) in self._only and request.query not in self._known:
            raise FailureError(Code.TRUSTED_ONLY, "Only the documents of our own front ends run here: send their ids.")
        return request

    def _find(self, document_id: str) -> str | None:
        """By the id as it is, or without the name of its algorithm."""
        return self._texts.get(document_id) or self._texts.get(document_id.rpartition(":")[2])


def open_documents(place: Path | None, *, only: Collection[CallerKind] = ()) -> TrustedDocuments:
    """The documents of a manifest, or of all the manifests in a folder.

    Raises:
        ManifestError: one of them cannot be read, or two of them mean something else by one id.
    """
    texts: dict[str, str] = {}
    for path in [] if place is None else sorted(place.glob("*.json"))[:MANIFESTS_MAX] if place.is_dir() else [place]:
        for document_id, text in _read(path).items():
            if texts.setdefault(document_id, text) != text:
                raise ManifestError(f"{path}: {document_id[:ID_CHARS_MAX]} is another document in another manifest")
    if len(texts) > DOCUMENTS_MAX:
        raise ManifestError(f"{place}: more than {DOCUMENTS_MAX} documents")
    return TrustedDocuments(texts, only=only)


def _read(path: Path) -> dict[str, str]:
    try:
        if path.stat().st_size > MANIFEST_BYTES_MAX:
            raise ManifestError(f"{path}: larger than {MANIFEST_BYTES_MAX} bytes")
        found = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise ManifestError(f"{path}: {error}") from None
    if not isinstance(found, dict) or not all(isinstance(text, str) and text for text in found.values()):
        raise ManifestError(f"{path}: not one JSON object from ids to documents")
    return found
