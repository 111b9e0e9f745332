"""A folder of anchors takes each once, gives them back newest first, and believes only its own keys."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shoutgraph.domain.anchors import Anchor
from shoutgraph.files import signing
from shoutgraph.files.anchors import AnchorFolder, Ignored
from shoutgraph.files.signing import KeyFileError, Signer

ANCHOR = Anchor(bytes([1]) * 32, 0, 0, 10, bytes([2]) * 32, datetime(2026, 3, 1, 12, tzinfo=UTC))
NEWER = replace(ANCHOR, seq=12, hash=bytes([3]) * 32)
RESTORED = replace(ANCHOR, epoch=1, after_seq=5, seq=7)


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return signing.open_signer(tmp_path / "keys.json")


@pytest.fixture
def folder(tmp_path: Path, signer: Signer) -> AnchorFolder:
    (tmp_path / "anchors").mkdir()
    return AnchorFolder(tmp_path / "anchors", signer)


@pytest.fixture
def written(folder: AnchorFolder) -> Path:
    path = folder.write(ANCHOR)
    assert path is not None
    return path


def test_anchors_come_back_newest_first(folder: AnchorFolder):
    for anchor in (NEWER, RESTORED, ANCHOR):
        assert folder.write(anchor) is not None
    assert list(folder.each()) == [RESTORED, NEWER, ANCHOR]
    assert sorted(each.name[:13] for each in folder.folder.iterdir()) == ["anchor-000000"] * 2 + ["anchor-000001"]


def test_an_anchor_is_written_once(folder: AnchorFolder, written: Path):
    before = written.read_bytes()
    assert folder.write(replace(ANCHOR, at=datetime(2027, 1, 1, tzinfo=UTC))) is None
    assert written.read_bytes() == before
    assert list(folder.each()) == [ANCHOR]


def test_an_anchor_is_readable_by_people(written: Path):
    said = json.loads(written.read_text())
    assert (said["seq"], said["at"], said["hash"]) == (10, "2026-03-01T12:00:00.000Z", "02" * 32)
    assert written.read_text().endswith("}\n")


def test_what_a_crash_left_half_written_is_stepped_over(folder: AnchorFolder, written: Path):
    whole = written.read_bytes()
    written.write_bytes(whole[:100])
    again = folder.write(ANCHOR)
    assert again is not None
    assert again.name == written.name.replace(".json", "-1.json")
    broken, whole_again = folder.each()
    assert isinstance(broken, Ignored)
    assert whole_again == ANCHOR


@pytest.mark.usefixtures("written")
@pytest.mark.parametrize("name", ["README.md", ".git", "anchor-1-2.json", "anchor-000000-0000000000000000010.json~"])
def test_other_files_are_left_alone(folder: AnchorFolder, name: str):
    (folder.folder / name).write_text("something else")
    assert list(folder.each()) == [ANCHOR]


def changed(said: dict[str, object], **changes: object) -> str:
    return json.dumps(said | changes)


@pytest.mark.parametrize(
    "forge",
    [
        lambda said: changed(said, seq=11),
        lambda said: changed(said, more=1),
        lambda said: changed(said, signature=said["signature"][:-4] + "AAAA"),
        lambda said: changed(said, signature=None),
        lambda said: changed(said, signature="e30.e30."),
        lambda said: json.dumps({name: value for name, value in said.items() if name != "signature"}),
        lambda said: json.dumps([said]),
        lambda _: "null",
        lambda _: "",
        lambda _: "\N{SNOWMAN}" * 10_000,
    ],
)
def test_a_forged_anchor_counts_for_nothing(folder: AnchorFolder, written: Path, forge):
    forged = folder.folder / "anchor-000000-0000000000000000011.json"
    forged.write_text(forge(json.loads(written.read_text())))
    first, second = folder.each()
    assert isinstance(first, Ignored)
    assert first.name == forged.name
    assert second == ANCHOR


def test_another_deployments_anchor_counts_for_nothing(folder: AnchorFolder, tmp_path: Path):
    other = AnchorFolder(folder.folder, signing.open_signer(tmp_path / "other.json"))
    assert other.write(NEWER) is not None
    (found,) = folder.each()
    assert isinstance(found, Ignored)
    assert "not signed by a key of ours" in found.why


@pytest.mark.usefixtures("written")
def test_a_new_key_signs_and_the_old_one_still_proves(folder: AnchorFolder, tmp_path: Path):
    old = json.loads((tmp_path / "keys.json").read_text())["keys"]
    signing.open_signer(tmp_path / "next.json")
    new = json.loads((tmp_path / "next.json").read_text())["keys"]
    (tmp_path / "both.json").write_text(json.dumps({"keys": new + old}))
    changed_over = AnchorFolder(folder.folder, signing.open_signer(tmp_path / "both.json"))
    changed_over.write(NEWER)
    assert list(changed_over.each()) == [NEWER, ANCHOR]
    only_new = AnchorFolder(folder.folder, signing.open_signer(tmp_path / "next.json"))
    assert [isinstance(each, Ignored) for each in only_new.each()] == [False, True]


@pytest.mark.usefixtures("written")
def test_a_machine_that_only_proves_cannot_sign(folder: AnchorFolder, signer: Signer, tmp_path: Path):
    (tmp_path / "public.json").write_text(json.dumps(signer.public))
    assert '"d"' not in (tmp_path / "public.json").read_text()
    outside = AnchorFolder(folder.folder, signing.open_signer(tmp_path / "public.json"))
    assert list(outside.each()) == [ANCHOR]
    with pytest.raises(KeyFileError, match="no private part"):
        outside.write(NEWER)


def test_a_key_is_made_once_for_its_owner_only(tmp_path: Path, signer: Signer):
    path = tmp_path / "keys.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert signing.open_signer(path).public == signer.public
    assert sorted(each.name for each in tmp_path.iterdir()) == ["keys.json"]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        '{"keys": []}',
        '{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}',
        '{"keys": [{"kty": "OKP", "crv": "X25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": "a"}]}',
        '{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}',
    ],
)
def test_a_file_without_a_usable_key_is_refused(tmp_path: Path, content: str):
    path = tmp_path / "bad.json"
    path.write_text(content)
    with pytest.raises(KeyFileError, match=r"bad\.json"):
        signing.open_signer(path)


def test_a_folder_that_is_not_there_takes_nothing(folder: AnchorFolder):
    folder.folder.rmdir()
    with pytest.raises(FileNotFoundError):
        folder.write(ANCHOR)
    with pytest.raises(FileNotFoundError):
        list(folder.each())
