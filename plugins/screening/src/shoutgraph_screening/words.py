"""Requests: the words that a fan chose, against an operator's list."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from shoutgraph.sdk import OrderRequest, Verdict
from shoutgraph_screening import folding
from shoutgraph_screening.rules import RequestRules

UNSAID: Final = "mustNotSay"
"""What the creator is not to say: a list of bad words there is no bad word."""

TEXT_CHARS_MAX: Final = 20_000

_ADDRESS: Final = re.compile(r"https?://|www\.|\S@\S+\.\w|\b[\w-]+\.(?:com|net|org|io|de|ru|me|app|link)\b")
_TELEPHONE: Final = re.compile(r"(?:\+|\b00)?(?:\d[\s().\-/]{0,2}){8,}")


def verdict(request: OrderRequest, rules: RequestRules | None) -> Verdict | None:
    """ALLOW only where every word was looked at, in a language that the rules know, and none is wrong."""
    if rules is None:
        return None
    texts = [text[:TEXT_CHARS_MAX] for name, text in request.texts.items() if not name.startswith(UNSAID)]
    strictest = max((_of_text(text, rules) for text in texts), default=Verdict.HOLD)
    known = request.language.split("-")[0].casefold() in {each.casefold() for each in rules.languages}
    whole = all(len(text) <= TEXT_CHARS_MAX for text in request.texts.values())
    return strictest if known and whole else max(strictest, Verdict.HOLD)


def _of_text(text: str, rules: RequestRules) -> Verdict:
    plain = folding.plain(text)
    said = folding.words(plain)
    if any(_says(said, folding.words(folding.plain(rule))) for rule in rules.deny):
        return Verdict.DENY
    if any(_says(said, folding.words(folding.plain(rule))) for rule in rules.hold):
        return Verdict.HOLD
    if _ADDRESS.search(plain) or _TELEPHONE.search(plain) or any(len(folding.alphabets(each)) > 1 for each in said):
        return Verdict.HOLD
    return Verdict.HOLD if _looks_like(plain, rules.deny) else Verdict.ALLOW


def _looks_like(plain: str, rules: Iterable[str]) -> bool:
    seen = list(folding.skeletons(plain))
    meant = [[folding.skeleton(word) for word in folding.words(folding.plain(rule))] for rule in rules]
    return any(_says(each, rule) for each in seen for rule in meant)


def _says(said: Sequence[str], wanted: Sequence[str]) -> bool:
    if not wanted:
        return False
    size = len(wanted)
    return any(list(said[at : at + size]) == list(wanted) for at in range(len(said) - size + 1))
