"""pacs.004: payments that came back."""

from collections.abc import Iterator
from datetime import datetime

from shoutgraph.sdk import Returned
from shoutgraph_sepa import documents, identifiers
from shoutgraph_sepa.documents import Element
from shoutgraph_sepa.telling import News, reason_in


def news_of(body: Element, at: datetime) -> Iterator[News]:
    """What a return says."""
    head = identifiers.from_bank(body.word("OrgnlGrpInf/OrgnlMsgId"))
    day = body.word("GrpHdr/IntrBkSttlmDt")
    for part in body.all("TxInf"):
        reference = part.word("OrgnlEndToEndId") or ""
        ours = identifiers.from_bank(reference)
        amount = part.first("RtrdInstdAmt") or part.first("RtrdIntrBkSttlmAmt")
        came_back = None if ours is None else documents.money(amount)
        if ours is None or came_back is None:
            continue
        batch = identifiers.from_bank(part.word("OrgnlGrpInf/OrgnlMsgId")) or head
        back_at = documents.moment(part.word("IntrBkSttlmDt") or day) or at
        outcome = Returned(reference, came_back, reason_in(part, "RtrRsnInf"), back_at)
        yield News(ours, batch or ours, outcome, back_at, reference)
