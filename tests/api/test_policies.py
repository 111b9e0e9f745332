"""Rules that staff publish: in force at once, for what is agreed from now on, and never behind anybody's back."""

from typing import Any

import pytest
from tests.api.cast import Cast

from shoutgraph.domain.policies import FIRST, Policy
from shoutgraph.domain.publishing import Change, from_plain, publish, values_of

LIST = """query ($after: String) { policies(first: 1, after: $after) {
  nodes { changed publishedBy reason publishedAt policy { version } } pageInfo { endCursor hasNextPage } } }"""
SHAPE = "version { policy { version feeBasisPoints } changed publishedBy reason } replayed"


def published(cast: Cast, reason: str = "Summer", **values: object) -> dict[str, Any]:
    changes = [{"name": name, "value": str(value)} for name, value in values.items()]
    return {"expectedVersion": cast.rules()[0], "changes": changes, "reason": reason}


def test_a_version_is_in_force_at_once_and_what_was_agreed_keeps_its_own(cast: Cast) -> None:
    to = cast.deployment
    order = cast.order("AWAITING_ACCEPTANCE")
    before = to.ask("fan", "{ policy { version feeBasisPoints } }")["policy"]
    given = to.with_key("policyPublish", published(cast, fee_bps=1_234, compensate_creator="false"))
    made, again = (to.do("admin", "policyPublish", SHAPE, **given) for _ in range(2))
    assert (made["replayed"], again) == (False, made | {"replayed": True})
    version = made["version"]
    assert version["policy"]["version"] == before["version"] + 1
    assert (version["changed"], version["reason"]) == (["fee_bps", "compensate_creator"], "Summer")
    every = to.ask("other_fan", "{ policyValues { name value } }")["policyValues"]
    assert {"name": "compensate_creator", "value": "false"} in every

    assert to.ask("other_fan", "{ policy { feeBasisPoints } }")["policy"] == {"feeBasisPoints": 1_234}
    kept = "query ($id: ID!) { order(id: $id) { policy { version feeBasisPoints } } }"
    assert to.ask("fan", kept, id=order["id"])["order"]["policy"] == before
    newer = cast.order("AWAITING_ACCEPTANCE")
    assert to.ask("fan", kept, id=newer["id"])["order"]["policy"]["feeBasisPoints"] == 1_234
    old = to.ask("fan", "query ($of: Int) { policy(version: $of) { version feeBasisPoints } }", of=before["version"])
    assert old["policy"] == before

    newest = to.ask("finance", LIST)["policies"]
    assert newest["nodes"][0]["publishedBy"] == version["publishedBy"] != ""
    assert newest["pageInfo"]["hasNextPage"]
    following = to.ask("finance", LIST, after=newest["pageInfo"]["endCursor"])["policies"]["nodes"]
    assert [each["policy"]["version"] for each in following] == [before["version"]]

    stale = to.refuse("admin", "policyPublish", **(published(cast, fee_bps=3_000) | {"expectedVersion": 1}))
    assert (stale["code"], stale["path"]) == ("STALE_REVISION", ["input", "expectedVersion"])
    to.do(
        "admin", "policyPublish", SHAPE, **published(cast, fee_bps=before["feeBasisPoints"], compensate_creator="true")
    )


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"fee_bps": "10000"}, "OUT_OF_RANGE"),
        ({"fee_bps": "-1"}, "OUT_OF_RANGE"),
        ({"cards_open_max": "1001"}, "OUT_OF_RANGE"),
        ({"fee_bps": "1.5"}, "POLICY_VALUE"),
        ({"fee_bps": "true"}, "POLICY_VALUE"),
        ({"screening": "nobody"}, "POLICY_VALUE"),
        ({"compensate_creator": "1"}, "POLICY_VALUE"),
        ({"par_units": "200"}, "POLICY_FIELD"),
        ({"version": "7"}, "POLICY_FIELD"),
        ({"no_such_field": "1"}, "POLICY_FIELD"),
        ({"price_min_coins": "200000"}, "OUT_OF_RANGE"),
        ({"fee_bps": "3000"}, "NOTHING_CHANGED"),
        ({}, "TOO_FEW"),
    ],
)
def test_what_no_policy_may_say_is_refused(cast: Cast, values: dict[str, str], code: str) -> None:
    assert cast.deployment.refuse("admin", "policyPublish", **published(cast, **values))["code"] == code


def test_a_version_that_an_older_release_stored_is_read_and_what_it_lacks_has_its_default() -> None:
    assert from_plain({"version": 7, "fee_bps": 1, "screening": "automatic", "forgotten": 3}) == Policy(
        version=7, fee_bps=1, screening=type(FIRST.screening)("automatic")
    )
    every = [
        Change(name, value) for name, value in values_of(FIRST).items() if name not in {"book_currency", "par_units"}
    ]
    changed = [Change("fee_bps", "1") if each.name == "fee_bps" else each for each in every]
    assert publish(FIRST, changed, expected_version=1).fee_bps == 1, "what is shown can be said"
