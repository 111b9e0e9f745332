"""Screens requests by words and videos by what they show, as an operator's rules say."""

import os

from shoutgraph.sdk import OrderRequest, OrderVideo, Verdict, hookimpl
from shoutgraph_screening import rules, videos, words


@hookimpl
async def shoutgraph_screen(subject: OrderRequest | OrderVideo) -> Verdict | None:
    """What the rules say; nothing where there are none."""
    found = rules.load(os.environ)
    if found is None:
        return None
    if isinstance(subject, OrderRequest):
        return words.verdict(subject, found.requests)
    return await videos.verdict(subject, found.videos)
