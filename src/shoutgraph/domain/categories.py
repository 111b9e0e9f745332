"""What creators are known for."""

from enum import StrEnum


class Category(StrEnum):
    """What a creator is known for."""

    ACTOR = "ACTOR"
    ARTIST = "ARTIST"
    ATHLETE = "ATHLETE"
    AUTHOR = "AUTHOR"
    CHEF = "CHEF"
    COMEDIAN = "COMEDIAN"
    DANCER = "DANCER"
    EDUCATOR = "EDUCATOR"
    GAMER = "GAMER"
    MAGICIAN = "MAGICIAN"
    MUSICIAN = "MUSICIAN"
    PRESENTER = "PRESENTER"
    STYLIST = "STYLIST"
    TRAVELLER = "TRAVELLER"
    OTHER = "OTHER"
