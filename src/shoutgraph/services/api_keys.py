"""API keys of internal tools: made by an administrator, shown once, revoked at any time."""

from collections.abc import Iterable

from shoutgraph.domain import api_keys, errors, ids
from shoutgraph.domain.api_keys import ApiKey, NewSecret
from shoutgraph.domain.users import Principal, Scope, Viewer
from shoutgraph.storage import api_keys as key_rows
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools


async def create(
    tools: Tools, viewer: Viewer, *, label: str, scopes: Iterable[Scope], new_secret: NewSecret
) -> tuple[ApiKey, str]:
    """Makes a key; the text that the tool needs is given here and never again.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer is not an administrator.
        ValidationError: the label is empty or too long, or there is no scope.
    """
    viewer.require(Scope.ADMIN)
    secret, granted = new_secret(), frozenset(scopes)

    def work(tx: Tx) -> ApiKey:
        key_id = tools.new_id(ids.API_KEY)
        key = api_keys.make(key_id=key_id, label=label, scopes=granted, secret=secret, now=tx.now)
        key_rows.insert(tx, key)
        return key

    key = await tools.store.write(work)
    return key, api_keys.write(key, secret)


async def revoke(tools: Tools, viewer: Viewer, key_id: str) -> None:
    """Ends a key. A server that has just seen it serves it for some seconds more.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer is not an administrator.
        NotFoundError: there is no such key that is still good.
    """
    viewer.require(Scope.ADMIN)
    if not await tools.store.write(lambda tx: key_rows.revoke(tx, key_id)):
        msg = "There is no such key, or it was revoked before."
        raise errors.NotFoundError(msg, path=("input", "apiKeyId"))


async def list_all(tools: Tools, viewer: Viewer) -> list[ApiKey]:
    """The keys, the oldest first.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer is not an administrator.
    """
    viewer.require(Scope.ADMIN)
    return await tools.store.read(key_rows.list_all)


async def prove(tools: Tools, key_id: str, secret: str) -> Principal:
    """Who a key speaks for: itself, with its scopes.

    Raises:
        UnauthenticatedError: there is no such key, the secret is wrong, or the key was revoked.
    """
    key = await tools.store.read(lambda tx: key_rows.find(tx, key_id))
    if key is None or not key.proves(secret):
        raise errors.UnauthenticatedError("The API key is not valid.")
    return Principal(subject=key.id, scopes=key.scopes)
