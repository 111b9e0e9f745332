"""What the bank's files say of our payments, as notices of the SDK.

Only what carries a reference of ours is read; everything else in a file is somebody else's business.
"""

import hashlib
import itertools
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Final

from shoutgraph.sdk import MalformedNotice, Notice, NoticeKind, Target
from shoutgraph_sepa import documents, entries, returns, statuses
from shoutgraph_sepa.documents import Element
from shoutgraph_sepa.telling import News

NOTICES_MAX: Final = 20_000
"""The most that is read in one file."""

READERS: Final[Mapping[str, Callable[[Element, datetime], Iterator[News]]]] = {
    "pain.002": statuses.news_of,
    "camt.053": entries.news_of,
    "camt.054": entries.news_of,
    "pacs.004": returns.news_of,
}

_DIGEST_CHARS: Final = 40


def read(body: bytes) -> list[Notice]:
    """The notices of a file, in its order.

    Where the bank names no payment, the batch's key is the target's operation id: it counts for all of its items.

    Raises:
        MalformedNotice: it is no file of a bank that is read here, or it says too much.
    """
    document = documents.read(body)
    reader = READERS.get(document.family)
    written_at = documents.moment(document.body.word("GrpHdr/CreDtTm"))
    if reader is None or written_at is None:
        raise MalformedNotice(f"a {document.family} that says nothing of payments, or not when it was written")
    found = list(itertools.islice(reader(document.body, written_at), NOTICES_MAX + 1))
    if len(found) > NOTICES_MAX:
        raise MalformedNotice("the file says too much")
    # Banks use the ids of their messages twice: only the bytes say whether a file is the same.
    name = f"{document.family}:{hashlib.sha256(body).hexdigest()[:_DIGEST_CHARS]}"
    return [_notice(f"{name}:{at}", news) for at, news in enumerate(found)]


def _notice(notice_id: str, news: News) -> Notice:
    target = Target(news.ours, news.batch_key, news.reference)
    return Notice(notice_id, target, NoticeKind.PAYOUT, news.outcome, occurred_at=news.at)
