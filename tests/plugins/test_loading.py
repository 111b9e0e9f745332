# ruff: noqa: ARG001, ARG002, ARG005 -- protocols and fixtures name their arguments
"""Each installed plugin has a status, and a broken one stops itself only."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from tests.plugins import written
from tests.plugins.written import NOW, SECRET, Offer, Written, offering, setup, topup_plugin

from shoutgraph.domain.errors import NotFoundError, ProviderUnavailableError
from shoutgraph.plugins.loading import load, simulators
from shoutgraph.plugins.statuses import PluginsBrokenError, PluginStatus, State
from shoutgraph.sdk import RawWebhook, hookimpl

Install = Callable[..., None]

GOOD = """
    from shoutgraph.sdk import hookimpl
    from tests.plugins.written import topup_plugin

    @hookimpl
    def shoutgraph_topup_plugins():
        return [topup_plugin(key="{key}")]
"""
GOOD_INSTANCE = {"one": {"plugin": "good", "api_key": {"env": "KEY"}}}


def statuses_with(**changes: object) -> dict[str, PluginStatus]:
    registry = load(setup(discover=True, instances=GOOD_INSTANCE, **changes))
    assert registry.topup("one").plugin.key == "good"
    return {each.name: each for each in registry.plugins}


@pytest.fixture
def good(distribute: Install) -> Install:
    distribute("good-plugin", GOOD.format(key="good"))
    return distribute


def test_a_good_plugin_is_active_with_its_keys_and_version(good: Install) -> None:
    status = statuses_with()["good-plugin"]
    expected = PluginStatus("good-plugin", "good-plugin", "1.2.3", State.ACTIVE, keys=("good",))
    assert status == expected


def test_a_disabled_plugin_is_never_imported(good: Install) -> None:
    good("off-plugin", "raise SystemExit('imported')")
    assert statuses_with(disabled=frozenset({"off-plugin"}))["off-plugin"].state is State.DISABLED


@pytest.mark.parametrize(
    ("requires", "told"),
    [
        (("shoutgraph>=2",), "needs shoutgraph >=2, and this is 0.1.0"),
        (("shoutgraph<0.1",), "needs shoutgraph <0.1"),
        (("httpx",), "does not say which shoutgraph"),
        ((), "does not say which shoutgraph"),
        (('shoutgraph>=0.1; extra == "all"',), "does not say which shoutgraph"),
    ],
)
def test_a_plugin_for_another_version_is_incompatible_and_never_imported(
    good: Install, requires: tuple[str, ...], told: str
) -> None:
    good("old-plugin", "raise SystemExit('imported')", requires=requires)
    status = statuses_with()["old-plugin"]
    assert (status.state, told in status.detail) == (State.INCOMPATIBLE, True)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("import nothing_of_that_name", "ModuleNotFoundError"),
        ("1 / 0", "ZeroDivisionError"),
        ("raise SystemExit(3)", "SystemExit"),
        ("def broken(:", "SyntaxError"),
    ],
)
def test_a_plugin_that_cannot_be_imported_says_why(good: Install, source: str, told: str) -> None:
    good("bad-plugin", source)
    status = statuses_with()["bad-plugin"]
    assert (status.state, told in status.detail) == (State.IMPORT_ERROR, True)


HOOK = "from shoutgraph.sdk import hookimpl\n"
WRITTEN = "from tests.plugins.written import payout_plugin, topup_plugin\n"


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("@hookimpl\ndef shoutgraph_no_such_hook(): ...", "shoutgraph_no_such_hook"),
        ("@hookimpl\ndef shoutgraph_topup_plugins(wrong_argument): ...", "wrong_argument"),
        ("@hookimpl\ndef shoutgraph_topup_plugins(): return 1 / 0", "ZeroDivisionError"),
        ("@hookimpl\ndef shoutgraph_topup_plugins(): return ['stripe']", "expected a TopUpPlugin, not str"),
        ("@hookimpl\ndef shoutgraph_topup_plugins(): return None", "TypeError"),
        ("@hookimpl\nasync def shoutgraph_topup_plugins(): return []", "is not async"),
        (
            f"{WRITTEN}@hookimpl\ndef shoutgraph_topup_plugins(): return [topup_plugin(key='Not A Key')]",
            "a key reads",
        ),
        (
            f"{WRITTEN}@hookimpl\ndef shoutgraph_topup_plugins(): return [payout_plugin()]",
            "expected a TopUpPlugin, not PayoutPlugin",
        ),
        (
            f"{WRITTEN}@hookimpl\ndef shoutgraph_topup_plugins(): return [topup_plugin(caps=None)]",
            "does not declare its capabilities",
        ),
        (
            f"{WRITTEN}@hookimpl\ndef shoutgraph_topup_plugins(): return [topup_plugin(config=dict)]",
            "config is a pydantic model",
        ),
    ],
)
def test_a_plugin_that_breaks_the_contract_is_invalid_and_says_where(good: Install, source: str, told: str) -> None:
    good("bad-plugin", HOOK + source)
    status = statuses_with()["bad-plugin"]
    assert (status.state, told in status.detail) == (State.INVALID, True), status


@pytest.mark.parametrize("api", [(2, 0), (0, 9), (1, 7)])
def test_a_plugin_for_another_api_is_incompatible(api: tuple[int, int]) -> None:
    status = offering(topup_plugin(api=api)).plugins[0]
    assert (status.state, "is written for API" in status.detail) == (State.INCOMPATIBLE, True)


def test_requirements_that_cannot_be_read_make_the_plugin_invalid(good: Install) -> None:
    good("odd-plugin", "1 / 0", requires=("shoutgraph >>> 1",))
    assert statuses_with()["odd-plugin"].state is State.INVALID


def test_entry_points_that_cannot_be_read_hide_nobody_else(good: Install) -> None:
    good("odd-plugin", "1 / 0", entry_points="[shoutgraph]\nthis line has no value\n")
    assert statuses_with()["odd-plugin"].state is State.IMPORT_ERROR


def test_two_plugins_with_one_key_are_both_refused(good: Install) -> None:
    good("first-plugin", GOOD.format(key="double"))
    good("second-plugin", GOOD.format(key="double"))
    found = statuses_with()
    assert [found[name].state for name in ("first-plugin", "second-plugin")] == [State.INVALID] * 2
    assert "the key double is offered 2 times" in found["second-plugin"].detail


def test_a_top_up_and_a_payout_with_one_key_are_refused_too() -> None:
    plugin = Offer(topup_plugin(key="same"), payouts=(written.payout_plugin(key="same"),))
    status = load(setup(extra={"offer": plugin})).plugins[0]
    assert status.state is State.INVALID


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"api_key": {"env": "NOT_THERE"}}, "api_key: the environment has no NOT_THERE"),
        ({"api_key": {"file": "/no/such/file"}}, "api_key: /no/such/file cannot be read"),
        ({"api_key": {"env": "SHORT"}}, "api_key: a secret has at least 8"),
        ({"api_key": SECRET}, "api_key: a secret is a reference"),
        ({}, "api_key: Field required"),
        ({"api_key": {"env": "KEY"}, "hosts": "not a list"}, "hosts: Input should be a valid list"),
        ({"api_key": {"env": "KEY"}, "colour": "red"}, "colour: there is no such field"),
        ({"api_key": {"env": "KEY"}, "hosts": [{"env": "KEY"}]}, "hosts.0: Input should be a valid string"),
    ],
)
def test_a_misconfigured_instance_names_the_field_and_never_the_value(fields: dict[str, object], told: str) -> None:
    instances = {"one": {"plugin": "written", **fields}, "two": {"plugin": "written", "api_key": {"env": "KEY"}}}
    registry = offering(topup_plugin(), instances=instances, environ={"KEY": SECRET, "SHORT": "abc"})
    one, two = registry.instances
    assert (one.state, two.state) == (State.MISCONFIGURED, State.ACTIVE)
    assert told in one.detail
    assert SECRET not in one.detail
    assert registry.plugins[0].state is State.MISCONFIGURED
    assert registry.topup("two")
    with pytest.raises(ProviderUnavailableError):
        registry.topup("one")


def test_an_instance_whose_provider_cannot_be_built_says_why_without_the_secret() -> None:
    def build(config: written.Config, host: object) -> object:
        raise ValueError(f"cannot use {config.api_key.get_secret_value()}")

    status = offering(topup_plugin(build=build)).instances[0]
    assert status.state is State.MISCONFIGURED
    assert status.detail == "ValueError: cannot use [secret]"


@pytest.mark.parametrize("name", ["Upper", "with space", "", "a/b", "x" * 64])
def test_an_instance_with_a_name_that_is_no_path_segment_is_misconfigured(name: str) -> None:
    registry = offering(topup_plugin(), instances={name: {"plugin": "written", "api_key": {"env": "KEY"}}})
    assert registry.instances[0].state is State.MISCONFIGURED


@pytest.mark.parametrize("plugin", ["unheard-of", "", 3])
def test_an_instance_of_a_plugin_that_is_not_there_is_missing(plugin: object) -> None:
    registry = offering(topup_plugin(), instances={"one": {"plugin": plugin}})
    assert registry.instances[0].state is State.MISSING
    assert registry.missing(["one", "one"]) == ("one",)


@pytest.mark.parametrize("gone", ["create", "fetch", "refund", "cancel", "receive", "aclose"])
def test_a_provider_without_one_of_its_methods_is_invalid(gone: str) -> None:
    methods = {name: getattr(Written, name) for name in ("create", "fetch", "refund", "cancel", "receive", "aclose")}
    registry = offering(topup_plugin(build=lambda config, host: SimpleNamespace(**{**methods, gone: None})))
    assert (registry.instances[0].state, gone in registry.instances[0].detail) == (State.INVALID, True)


def test_a_threaded_provider_with_async_methods_is_invalid() -> None:
    registry = offering(topup_plugin(threaded=True))
    assert "is not async" in registry.instances[0].detail


def test_several_instances_come_from_one_plugin() -> None:
    key = {"env": "KEY"}
    instances = {name: {"plugin": "written", "api_key": key} for name in ("written-eu", "written-us")}
    registry = offering(topup_plugin(), instances=instances)
    assert sorted(registry.topups) == ["written-eu", "written-us"]
    assert registry.topup("written-eu").provider is not registry.topup("written-us").provider


def test_strict_loading_stops_at_anything_that_is_not_fine(good: Install) -> None:
    good("bad-plugin", "1 / 0")
    with pytest.raises(PluginsBrokenError, match=r"bad-plugin \(bad-plugin\) is import_error: ZeroDivisionError"):
        load(setup(discover=True, instances={}, strict=True))
    with pytest.raises(PluginsBrokenError, match="instance one of nothing is missing"):
        offering(instances={"one": {"plugin": "nothing"}}, strict=True)


def test_lenient_loading_tells_the_log(good: Install, caplog: pytest.LogCaptureFixture) -> None:
    good("bad-plugin", "1 / 0")
    statuses_with()
    assert "plugin bad-plugin (bad-plugin) is import_error" in caplog.text


def test_the_registry_is_frozen() -> None:
    registry = offering(topup_plugin())
    with pytest.raises(AttributeError):
        registry.topups = {}
    with pytest.raises(TypeError):
        registry.topups["two"] = registry.topups["one"]


def test_a_webhook_for_an_instance_that_is_not_there_is_not_found() -> None:
    raw = RawWebhook(b"", {}, "", NOW, "127.0.0.1")
    with pytest.raises(NotFoundError):
        offering(topup_plugin()).receive("two", raw)


def test_simulators_are_found_by_their_own_group(distribute: Install) -> None:
    points = "[shoutgraph.simulators]\npretend = pretend_plugin:build\n"
    distribute("pretend-plugin", "def build(setup): return setup", entry_points=points)
    assert simulators()["pretend"]("x") == "x"


@pytest.mark.anyio
async def test_closing_lets_every_provider_go_even_when_one_breaks(caplog: pytest.LogCaptureFixture) -> None:
    async def broken() -> None:
        raise OSError(f"still busy with {SECRET}")

    key = {"api_key": {"env": "KEY"}}
    registry = offering(
        topup_plugin({"aclose": broken}, key="broken"),
        topup_plugin(key="whole"),
        instances={"one": {"plugin": "broken", **key}, "two": {"plugin": "whole", **key}},
    )
    await registry.aclose()
    assert registry.topup("two").provider.closed
    assert "plugin broken, instance one: cannot close" in caplog.text
    assert SECRET not in caplog.text


def test_a_plugin_that_is_refused_has_no_hooks() -> None:
    class Half:
        @hookimpl
        def shoutgraph_topup_plugins(self) -> list[object]:
            return ["wrong"]

        @hookimpl
        def shoutgraph_rank_topup(self, request: object, candidates: tuple[str, ...]) -> list[str]:
            return []

    registry = load(setup(extra={"half": Half()}, instances={}))
    assert registry.hooks.rank_topup(written.request(), ("one",)) == ("one",)
