"""Authenticity: keeping the digests of what was delivered, making copies with a watermark, and answering anybody.

The journal tells of each video that passed review; a job keeps it, as the other folds do. Manifests are signed when
they are asked for: the same facts and key give the same text, and a new key signs from the next reading on.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

from shoutgraph.domain import authenticity as rules, ids, journal
from shoutgraph.domain.authenticity import Delivered, Finding, Manifest, MarkState, Verdict
from shoutgraph.domain.creators import Creator
from shoutgraph.domain.media import Video, VideoState
from shoutgraph.domain.reputation import MOVED, day_of, start_of
from shoutgraph.domain.users import Viewer
from shoutgraph.files.links import Link
from shoutgraph.files.marking import words_of
from shoutgraph.files.store import InspectionError, MarkingError
from shoutgraph.storage import (
    authenticity as rows,
    creators,
    folds,
    journal as journal_rows,
    media as videos,
    policies,
)
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools

logger = logging.getLogger("shoutgraph.authenticity")

FOLD: Final = "deliveries"
PAGE: Final = 500
"""The most lines of one unit of work."""
LEASE: Final = timedelta(minutes=25)
"""How long one worker has a video; longer than the marker's own limit of time."""
FAULT_CHARS_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class Signed:
    """A manifest as its holder keeps it: a compact JSON Web Signature."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Copy:
    """The copy with the watermark, and the links that this viewer may follow; None where there is none to follow."""

    state: MarkState
    sha256: str | None
    watch: Link | None = None
    poster: Link | None = None


async def fold(tools: Tools) -> int:
    """Keeps what the journal tells was delivered, a page at most; gives how many lines were looked at."""
    if not await tools.store.read(lambda tx: folds.place(tx, FOLD) < journal_rows.head(tx).seq):
        return 0
    return await tools.store.write(_fold)


async def mark_due(tools: Tools) -> int:
    """Makes the copies that are due, one after the other; gives how many were tried."""
    due = await tools.store.read(rows.list_of_due)
    return sum([await _mark(tools, video_id) for video_id in due])


async def list_manifests(tools: Tools, video_ids: Sequence[str]) -> dict[str, Signed]:
    """The manifests of those of these videos that were delivered. Whoever asks may watch the videos."""
    signer = tools.manifests
    if signer is None or not video_ids:
        return {}
    found = await tools.store.read(lambda tx: rows.list_of(tx, video_ids))
    return {
        each: Signed(known.manifest_id, signer.sign(rules.to_bytes(_manifest(tools, known))))
        for each, known in found.items()
    }


async def list_copies(tools: Tools, viewer: Viewer, video_ids: Sequence[str]) -> dict[str, Copy]:
    """The copies of those of these videos that were delivered, with fresh links. The viewer may watch the videos."""
    if not video_ids:
        return {}
    found, now = await tools.store.read(lambda tx: rows.list_of(tx, video_ids)), tools.clock()

    def copy_of(known: Delivered) -> Copy:
        if known.mark is not MarkState.READY:
            return Copy(known.mark, None)
        links = tools.links
        return Copy(
            known.mark,
            known.marked_sha256,
            watch=links.copy(known.video_id, viewer, now=now),
            poster=links.copy_poster(known.video_id, viewer, now=now),
        )

    return {each: copy_of(known) for each, known in found.items()}


async def verify(tools: Tools, *, sha256: str | None, manifest: str | None) -> tuple[Finding, Creator | None]:
    """What is known of a file by its digest, of a manifest, or of both together; and who filmed, if they want it told.

    Raises:
        ValidationError: neither is given, the digest is none, or the manifest is too long.
    """
    digest = None if sha256 is None else rules.check_digest(sha256)
    if manifest is None:
        if digest is None:
            raise rules.nothing_given()
        return await tools.store.read(partial(_by_digest, digest=digest))
    said = _proven(tools, rules.check_manifest(manifest))
    if said is None:
        return Finding(Verdict.FORGED_SIGNATURE, compared=False), None
    return await tools.store.read(partial(_by_manifest, said=said, digest=digest))


def _proven(tools: Tools, text: str) -> Manifest | None:
    """What a manifest says, if one of our keys signed it."""
    try:
        return None if tools.manifests is None else rules.from_bytes(tools.manifests.prove(text))
    except ValueError:
        return None


def _fold(tx: Tx) -> int:
    folds.begin(tx, FOLD)
    seq = folds.place(tx, FOLD)
    events, until = journal_rows.read_after(tx, seq, limit=PAGE, types=(MOVED,))
    if until == seq:
        return 0
    passed = {video_id: event for event in events if (video_id := _passed(event)) is not None}
    if passed:
        known, there = rows.list_of(tx, list(passed)), videos.list_of_ids(tx, list(passed))
        mark = MarkState.WAITING if policies.current(tx).watermark else MarkState.OFF
        for video_id, event in passed.items():
            video = there.get(video_id)
            if video is not None and video_id not in known and video.facts is not None and video.sha256 is not None:
                rows.insert(tx, _delivered(video, day=day_of(event.at), mark=mark))
    folds.advance(tx, FOLD, seq=until)
    return until - seq


def _passed(event: journal.Event) -> str | None:
    """The video that this line says was delivered."""
    body = event.body
    video_id = body.get("video") if body.get("transition") == "review_pass" else None
    return video_id if isinstance(video_id, str) else None


def _delivered(video: Video, *, day: int, mark: MarkState) -> Delivered:
    assert video.facts is not None, "a video that passed review was measured"
    assert video.facts.duration_ms is not None, "a moving picture lasts"
    assert video.sha256 is not None, "a video that passed review has a digest"
    return Delivered(
        video_id=video.id,
        manifest_id=rules.manifest_id(video.id),
        creator_id=video.creator_id,
        sha256=video.sha256,
        duration_ms=video.facts.duration_ms,
        day=day,
        mark=mark,
    )


async def _mark(tools: Tools, video_id: ids.VideoId) -> int:
    """Makes one copy, if nobody else does; says whether this call tried."""
    async with tools.files.marking():
        claimed = await tools.store.write(partial(_claim, video_id=video_id))
        if claimed is None:
            return 0
        attempt, words = claimed
        try:
            copy = await tools.files.mark(video_id, words)
        except (MarkingError, InspectionError) as fault:
            logger.warning("no copy of %s at attempt %d: %s", video_id, attempt, fault)
            if isinstance(fault, MarkingError) or attempt >= rules.MARK_ATTEMPTS_MAX:
                told = str(fault)[:FAULT_CHARS_MAX]
                await tools.store.write(lambda tx: rows.give_up(tx, video_id, attempt, fault=told))
            return 1
        kept = await tools.store.write(
            lambda tx: _keep(tx, video_id, attempt, sha256=copy.sha256, size_bytes=copy.size_bytes)
        )
    if not kept:
        await tools.files.delete_copy(video_id)
    return 1


def _claim(tx: Tx, *, video_id: ids.VideoId) -> tuple[int, tuple[str, ...]] | None:
    attempt = rows.claim(tx, video_id, lease=LEASE)
    if attempt is None:
        return None
    (creator,) = creators.list_of(tx, [rows.get(tx, video_id).creator_id])
    name = policies.current(tx).watermark
    if not name or attempt > rules.MARK_ATTEMPTS_MAX:
        fault = "the last attempt did not end" if name else "watermarks were switched off"
        rows.give_up(tx, video_id, attempt, fault=fault)
        return None
    return attempt, words_of(name, "" if creator is None else creator.handle)


def _keep(tx: Tx, video_id: ids.VideoId, attempt: int, *, sha256: str, size_bytes: int) -> bool:
    """Notes the copy; not where the video was taken down meanwhile."""
    if videos.get(tx, video_id).state is not VideoState.READY:
        rows.give_up(tx, video_id, attempt, fault="the video was taken down")
        return False
    return rows.keep_copy(tx, video_id, attempt, sha256=sha256, size_bytes=size_bytes)


def _manifest(tools: Tools, of: Delivered) -> Manifest:
    return Manifest(
        id=of.manifest_id,
        issuer=tools.public_url[: rules.ISSUER_CHARS_MAX],
        sha256=of.sha256,
        watermarked_sha256=of.marked_sha256,
        duration_ms=of.duration_ms,
        delivered_on=start_of(of.day).date().isoformat(),
    )


def _by_digest(tx: Tx, *, digest: str) -> tuple[Finding, Creator | None]:
    found = rows.find_by_digest(tx, digest)
    if not found:
        return Finding(Verdict.UNKNOWN, compared=True), None
    known, revoked = min(found, key=lambda each: (each[1], each[0].day))
    return _found(tx, known, revoked=revoked, digest=digest)


def _by_manifest(tx: Tx, *, said: Manifest, digest: str | None) -> tuple[Finding, Creator | None]:
    found = rows.find_by_manifest(tx, said.id)
    if found is None or found[0].sha256 != said.sha256:
        return Finding(Verdict.UNKNOWN, compared=False), None
    known, revoked = found
    if digest is not None and known.variant_of(digest) is None:
        return Finding(Verdict.OTHER_FILE, compared=True), None
    return _found(tx, known, revoked=revoked, digest=digest)


def _found(tx: Tx, known: Delivered, *, revoked: bool, digest: str | None) -> tuple[Finding, Creator | None]:
    verdict = Verdict.REVOKED if revoked else Verdict.AUTHENTIC
    variant = None if digest is None else known.variant_of(digest)
    (creator,) = creators.list_of(tx, [known.creator_id])
    named = creator if creator is not None and creator.named_in_proofs and not revoked else None
    creator_id = None if named is None else named.id
    return Finding(verdict, digest is not None, variant, known.day, creator_id), named
