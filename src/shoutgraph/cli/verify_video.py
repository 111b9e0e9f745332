"""`shoutgraph verify-video`: whether a file came from a real order, offline by its manifest, or by asking a deployment.

`shoutgraph manifest-keys` shows the keys that sign manifests, and puts a new one before them.
"""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from shoutgraph.cli.shared import DataDir, console, fail, read_settings

if TYPE_CHECKING:
    from shoutgraph.files.signing import Signer

ASK: Final = """query Verify($sha256: String, $manifest: String) { verifyVideo(sha256: $sha256, manifest: $manifest) {
  verdict variant deliveredAt creator { handle name } } }"""
ANSWER_S: Final = 20.0
MANIFEST_BYTES_MAX: Final = 4_096
KEYS_BYTES_MAX: Final = 65_536

keys = typer.Typer(help="Show and renew the keys that sign manifests of videos.", no_args_is_help=True)


def verify_video(
    file: Annotated[Path, typer.Argument(help="The video.", exists=True, dir_okay=False)],
    manifest: Annotated[Path | None, typer.Option(help="Its manifest, as Video.manifest gave it.")] = None,
    jwks: Annotated[
        Path | None, typer.Option("--keys", help="Published keys of the deployment, to check without asking it.")
    ] = None,
    url: Annotated[str | None, typer.Option(help="Address of the deployment, to ask it.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Tell whether a video is authentic: exit code 0 if it is, 1 if it is not, or if nothing is known of it.

    With --url the deployment is asked; it also knows what was taken down. Without, the manifest is checked here, by the
    keys of --keys or those of the data folder, and nothing is sent anywhere.
    """
    with file.open("rb") as opened:
        sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
    text = None if manifest is None else manifest.read_text()[: MANIFEST_BYTES_MAX + 1].strip()
    verdict, told = (
        _ask(url, sha256, text) if url is not None else _check(sha256, text, _signer(jwks, data_dir=data_dir))
    )
    console.print(f"[bold]{verdict}[/]", *([told] if told else []), soft_wrap=True)
    if verdict != "AUTHENTIC":
        raise typer.Exit(1)


@keys.command("show")
def show_keys(data_dir: DataDir = None) -> None:
    """Print the public keys as a JSON Web Key Set, the one that signs first."""
    import orjson

    from shoutgraph.files import signing

    path = read_settings(data_dir=data_dir).manifest_key_path
    if not path.exists():
        fail(f"there are no keys at {path}; the first server makes them")
    typer.echo(orjson.dumps(signing.open_signer(path).public).decode())


@keys.command()
def renew(data_dir: DataDir = None) -> None:
    """Put a new key before the others: servers that start from now on sign with it, and old manifests stay good."""
    from shoutgraph.files import signing

    path = read_settings(data_dir=data_dir).manifest_key_path
    console.print(f"New key {signing.renew(path)}. Restart the servers; the file is {path}.", soft_wrap=True)


def _signer(jwks: Path | None, *, data_dir: Path | None) -> "Signer":
    from shoutgraph.files import signing

    if jwks is not None:
        with jwks.open("rb") as file:
            return signing.read_public(file.read(KEYS_BYTES_MAX))
    path = read_settings(data_dir=data_dir).manifest_key_path
    if not path.exists():
        fail("give the published keys with --keys, or the address of the deployment with --url")
    return signing.open_signer(path)


def _check(sha256: str, text: str | None, signer: "Signer") -> tuple[str, str]:
    from shoutgraph.domain import authenticity as rules

    if text is None:
        fail("without --url a manifest is needed: give it with --manifest")
    try:
        said = rules.from_bytes(signer.prove(text))
    except ValueError:
        return rules.Verdict.FORGED_SIGNATURE, "the manifest is signed by none of these keys"
    if sha256 not in {said.sha256, said.watermarked_sha256}:
        return rules.Verdict.OTHER_FILE, "the manifest is genuine, and about another file"
    variant = rules.Variant.ORIGINAL if sha256 == said.sha256 else rules.Variant.WATERMARKED
    told = f"{variant.lower()}, delivered by {said.issuer} on {said.delivered_on}"
    return rules.Verdict.AUTHENTIC, f"{told}; whether it was taken down since, only --url knows"


def _ask(url: str, sha256: str, text: str | None) -> tuple[str, str]:
    import httpx

    asked = {"query": ASK, "variables": {"sha256": sha256, "manifest": text}}
    try:
        answer = httpx.post(f"{url.rstrip('/')}/graphql", json=asked, timeout=ANSWER_S, trust_env=False).json()
        found = answer["data"]["verifyVideo"]
    except (httpx.HTTPError, ValueError, TypeError, KeyError) as error:
        fail(f"{url} gives no answer: {str(error) or type(error).__name__}")
    if found is None:
        fail(f"{url} refuses: {answer['errors'][0]['message']}")
    who = "" if found["creator"] is None else f" by {found['creator']['name']} (@{found['creator']['handle']})"
    day = "" if found["deliveredAt"] is None else f", delivered on {found['deliveredAt'][:10]}{who}"
    return found["verdict"], f"{(found['variant'] or '').lower()}{day}"
