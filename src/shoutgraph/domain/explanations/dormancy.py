"""Why bought coins may lapse, lapsed, or do not."""

from typing import Final

from shoutgraph.domain.dormancy import Dormancy, DormancyState, Standing, is_blocked, months_after
from shoutgraph.domain.explanations import explanation as say
from shoutgraph.domain.explanations.explanation import Explanation, Fact
from shoutgraph.domain.lapse_rules import LapseOutcome, Rule
from shoutgraph.domain.policies import Policy

SOURCE: Final = "docs/GRAPHQL.md#coins-that-lapse"

_OUTCOMES: Final = {
    LapseOutcome.INCOME: "By the rule of {country} they are the platform's income then.",
    LapseOutcome.UNCLAIMED: "By the rule of {country} their worth is kept for you then: walletReclaim brings it back.",
}


def explain(standing: Standing, rule: Rule | None, found: Dormancy | None, *, policy: Policy) -> Explanation:
    """What holds for somebody now; `found` is the notice that stands, or else the newest."""
    about = [say.word("country", standing.country)]
    if found is not None and found.state is DormancyState.NOTICED:
        return _noticed(found, about)
    if found is not None and found.state is DormancyState.LAPSED:
        return _lapsed(found, about)
    if rule is None:
        words = ["No rule is in force for {country}: bought coins never lapse there."]
        return say.explain("dormancy.no_rule", SOURCE, inputs=about, outcome=[], words=words)
    about += [*_of_rule(rule), say.instant("lastActive", standing.last_active)]
    if is_blocked(standing):
        words = ["Something is under way, or the account is locked or closes: nothing lapses while it is so."]
        version = policy.version
        return say.explain("dormancy.blocked", SOURCE, inputs=about, outcome=[], words=words, policy_version=version)
    outcome = [say.instant("noticeFrom", months_after(standing.last_active, rule.months))]
    words = [
        "You did something here the last time at {lastActive}.",
        "After {months} months without anything a notice is given, at {noticeFrom} at the earliest.",
    ]
    version = policy.version
    return say.explain("dormancy.active", SOURCE, inputs=about, outcome=outcome, words=words, policy_version=version)


def _noticed(found: Dormancy, about: list[Fact]) -> Explanation:
    words = [
        "Nothing was done here since {inactiveSince}, for {months} months or more: a notice was given at {noticedAt}.",
        "{coins} lapse at {lapsesAt}, unless you do something before: walletKeep is enough.",
        _OUTCOMES[found.rule.outcome],
    ]
    return _of(found, "dormancy.noticed", about, words)


def _lapsed(found: Dormancy, about: list[Fact]) -> Explanation:
    words = [
        "Nothing was done here since {inactiveSince}, nor after the notice at {noticedAt}, so coins lapsed.",
        _OUTCOMES[found.rule.outcome],
    ]
    return _of(found, "dormancy.lapsed", about, words)


def _of(found: Dormancy, rule: str, about: list[Fact], words: list[str]) -> Explanation:
    inputs = [*about, *_of_rule(found.rule), say.instant("inactiveSince", found.inactive_since)]
    outcome = [
        say.instant("noticedAt", found.noticed_at),
        say.instant("lapsesAt", found.lapses_at),
        say.coins("coins", found.coins),
        say.word("outcome", found.rule.outcome.value),
    ]
    version = found.policy_version
    return say.explain(rule, SOURCE, inputs=inputs, outcome=outcome, words=words, policy_version=version)


def _of_rule(rule: Rule) -> list[Fact]:
    return [say.count("months", rule.months), say.count("noticeDays", rule.notice_days)]
