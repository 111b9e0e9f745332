"""No secret of a configuration reaches a log, a repr or a traceback."""

import io
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from tests.plugins.written import SECRET, offering, setup, topup_plugin

from shoutgraph.plugins.scrubbing import Scrubber


@pytest.fixture
def scrubber() -> Scrubber:
    scrubber = Scrubber()
    scrubber.learn([SecretStr(SECRET), SecretStr(SECRET + "-and-longer")])
    return scrubber


@pytest.fixture
def written_log(scrubber: Scrubber) -> Iterator[tuple[logging.Logger, io.StringIO]]:
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.addFilter(scrubber)
    handler.setFormatter(logging.Formatter("%(message)s %(extra)s", defaults={"extra": ""}))
    logger = logging.getLogger("a_library_of_a_vendor")
    logger.addHandler(handler)
    yield logger, text
    logger.removeHandler(handler)


def test_secrets_are_struck_from_messages_arguments_extras_and_tracebacks(
    written_log: tuple[logging.Logger, io.StringIO],
) -> None:
    logger, text = written_log
    logger.warning("in the message %s", SECRET)
    logger.warning(f"in the format {SECRET}-and-longer")  # noqa: G004 -- a careless library
    logger.warning("in an object %s", {"key": SECRET})
    logger.warning("in an extra", extra={"extra": SECRET})
    logger.warning("with wrong %d arguments", SECRET)
    logger.error("in a traceback", exc_info=ValueError(SECRET))
    written = text.getvalue()
    assert SECRET not in written
    assert "-and-longer" not in written
    assert "ValueError: [secret]" in written
    assert "in an object {'key': '[secret]'}" in written


def test_neither_the_registry_nor_the_setup_shows_a_secret() -> None:
    given = setup()
    registry = offering(topup_plugin())
    provider = registry.topup("one")
    for shown in (given, registry, provider, registry.scrubber, registry.instances, vars(provider)):
        assert SECRET not in repr(shown)


def test_a_secret_from_a_file_is_read_without_its_line_end_and_struck(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("from-a-file-on-disk\n")
    instances = {"one": {"plugin": "written", "api_key": {"file": str(file)}}}
    seen = []
    registry = offering(
        topup_plugin(build=lambda config, host: seen.append(config.api_key) or host), instances=instances
    )
    assert seen[0].get_secret_value() == "from-a-file-on-disk"
    assert registry.scrubber.text("a from-a-file-on-disk b") == "a [secret] b"


def test_a_file_that_is_too_large_for_a_secret_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b"x" * 70_000)
    registry = offering(topup_plugin(), instances={"one": {"plugin": "written", "api_key": {"file": str(file)}}})
    assert "too large" in registry.instances[0].detail


def test_a_secret_that_is_handed_over_as_one_is_accepted_and_struck() -> None:
    instances = {"one": {"plugin": "written", "api_key": SecretStr("made-at-this-start")}}
    registry = offering(topup_plugin(), instances=instances)
    assert registry.topup("one")
    assert registry.scrubber.text("made-at-this-start") == "[secret]"
