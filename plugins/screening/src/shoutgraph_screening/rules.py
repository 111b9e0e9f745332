"""The operator's rules: a TOML file, read anew at each look, so that a change needs no restart."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

VARIABLE: Final = "SCREENING_RULES"
FILE_BYTES_MAX: Final = 1_000_000
WORDS_MAX: Final = 20_000


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RequestRules(_Part):
    """What requests may say."""

    languages: tuple[str, ...] = Field(default=(), description="Languages that the words are of.")
    deny: tuple[str, ...] = Field(default=(), max_length=WORDS_MAX, description="Rejects a request.")
    hold: tuple[str, ...] = Field(default=(), max_length=WORDS_MAX, description="Leaves it to a moderator.")


class VideoRules(_Part):
    """What videos may show. Units: seconds, and shares of 1."""

    duration_min_s: float = Field(default=3.0, ge=0)
    black_share_max: float = Field(default=0.5, ge=0, le=1)
    passes: bool = Field(default=False, alias="pass")


class Rules(_Part):
    """All of them."""

    requests: RequestRules | None = None
    videos: VideoRules | None = None


def load(environ: Mapping[str, str]) -> Rules | None:
    """The rules, or None where there are none.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not what rules look like.
    """
    name = environ.get(VARIABLE)
    if name is None:
        return None
    with Path(name).open("rb") as file:
        text = file.read(FILE_BYTES_MAX + 1)
    if len(text) > FILE_BYTES_MAX:
        raise ValueError("the rules are too long")
    return Rules.model_validate(tomllib.loads(text.decode()))
