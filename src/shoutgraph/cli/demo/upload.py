"""A resumable upload by the tus protocol, broken off on purpose in the middle and taken up again."""

from pathlib import Path
from typing import Final

import httpx

from shoutgraph.cli.demo.people import StoryError

TUS: Final = {"Tus-Resumable": "1.0.0"}
PATCH: Final = {**TUS, "Content-Type": "application/offset+octet-stream"}


def upload(http: httpx.Client, url: str, file: Path) -> int:
    """Sends a third, forgets how far it was, asks the server, and sends the rest; gives where it was taken up.

    Raises:
        StoryError: the server took it otherwise than tus says.
    """
    data = file.read_bytes()
    _send(http, url, data[: len(data) // 3], offset=0)
    asked = http.head(url, headers=TUS)
    resumed = int(asked.headers["Upload-Offset"])
    _send(http, url, data[resumed:], offset=resumed)
    return resumed


def _send(http: httpx.Client, url: str, data: bytes, *, offset: int) -> None:
    answer = http.patch(url, content=data, headers={**PATCH, "Upload-Offset": str(offset)})
    if answer.status_code != httpx.codes.NO_CONTENT:
        raise StoryError(f"the upload was refused: {answer.status_code} {answer.text}")
