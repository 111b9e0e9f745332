"""What must and must not be said, as the API shows it: each item, and whether the creator ticked it."""

import strawberry

from shoutgraph.domain.orders.checklist import Item, ItemKind, Ticks


@strawberry.type(name="ChecklistItem", description="Something that must, or must not, be said.")
class ChecklistItemType:
    key: str = strawberry.field(
        description="Names it within its order; send it in tickedKeys, and as itemKey of a redo."
    )
    kind: ItemKind = strawberry.field(description="Whether it must be said or must not.")
    text: str = strawberry.field(description="What.")
    ticked: bool | None = strawberry.field(
        description="Whether the creator says that the video keeps to it; null while the caller knows of no video."
    )

    @classmethod
    def of(cls, item: Item, ticks: Ticks | None) -> "ChecklistItemType":
        """The graph's view of an item."""
        ticked = None if ticks is None else item.key in ticks.ticked
        return cls(key=item.key, kind=item.kind, text=item.text, ticked=ticked)
