"""What is on for one person, as the API shows it."""

from typing import Final

import strawberry

from shoutgraph.domain.features import Feature, Reason, State

STATES_MAX: Final = 30


@strawberry.type(name="FeatureState", description="Whether a part of the product is on for somebody.")
class FeatureStateType:
    feature: Feature = strawberry.field(description="Which part.")
    provider: str | None = strawberry.field(
        description="Which way to buy coins, the code of topUpProviders; null where it is the whole feature."
    )
    on: bool = strawberry.field(description="Whether it is on.")
    reason: Reason | None = strawberry.field(description="Why it is off; null where it is on.")

    @classmethod
    def of(cls, state: State) -> "FeatureStateType":
        """The graph's view of a state."""
        return cls(feature=state.feature, provider=state.provider or None, on=state.reason is None, reason=state.reason)
