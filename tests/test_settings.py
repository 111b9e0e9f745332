"""Settings that name a database, and never tell the secrets in its address."""

from pathlib import Path

import pytest

from shoutgraph.settings import Settings, SettingsError, load

SECRET = "hunter2"
URL = f"postgresql://app:{SECRET}@db.example:5433/shout?sslmode=verify-full&sslpassword={SECRET}"


@pytest.mark.parametrize(
    ("given", "where", "name"),
    [
        ({}, "d/shoutgraph.db", "d/shoutgraph.db"),
        ({"database_url": "sqlite:///elsewhere/x.db"}, "elsewhere/x.db", "elsewhere/x.db"),
        ({"database_url": URL}, URL, "postgresql://db.example:5433/shout"),
        ({"database_url": "postgresql:///shout"}, "postgresql:///shout", "postgresql://localhost/shout"),
        (
            {"database_url": f"postgresql://x:{SECRET}@[::1/shout"},
            f"postgresql://x:{SECRET}@[::1/shout",
            "the database",
        ),
        ({"database_url": f"postgresql://x:{SECRET}@h:pp/s"}, f"postgresql://x:{SECRET}@h:pp/s", "the database"),
    ],
)
def test_a_database_has_an_address_and_a_name_to_show(given: dict[str, str], where: str, name: str):
    chosen = load({"data_dir": Path("d"), **given}, {})
    assert (chosen.database, chosen.database_name, chosen.database_owner) == (where, name, where)
    assert chosen.embedded == (not where.startswith("postgresql"))


def test_no_text_of_the_settings_tells_a_secret():
    chosen = load({}, {"SHOUTGRAPH_DATABASE_URL": URL, "SHOUTGRAPH_DATABASE_OWNER_URL": URL.replace("app", "owner")})
    told = (repr(chosen), str(chosen), chosen.model_dump_json(), chosen.database_name)
    assert [text for text in told if SECRET in text] == []
    assert chosen.database_owner.startswith("postgresql://owner:")


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({"DATABASE_URL": f"oracle://x:{SECRET}@h/s"}, "database_url starts with postgresql:// or sqlite:///."),
        (
            {"DATABASE_OWNER_URL": URL},
            "database_owner_url is the same postgresql:// database as database_url, for its owner.",
        ),
        (
            {"DATABASE_URL": URL, "DATABASE_OWNER_URL": f"mysql://x:{SECRET}@h/s"},
            "database_owner_url is the same postgresql:// database as database_url, for its owner.",
        ),
        ({"WORKERS": "0"}, "workers: Input should be greater than or equal to 1"),
        ({"ENVIRONMENT": "production", "TEST_CLOCK": "1"}, "test_clock is never on in production."),
    ],
)
def test_a_wrong_setting_is_named_without_its_value(environ: dict[str, str], told: str):
    with pytest.raises(SettingsError) as refused:
        load({}, {f"SHOUTGRAPH_{name}": value for name, value in environ.items()})
    assert str(refused.value).startswith(told)


def test_what_needs_a_file_refuses_a_server():
    with pytest.raises(SettingsError, match="not a file of this machine"):
        _ = load({"database_url": URL}, {}).database_path
    assert Settings().database_path == Path("shoutgraph-data/shoutgraph.db")


ROUTES = """
[providers.cards]
plugin = "sandbox"

[[topup.routes]]
when = {{ country = ["DE"], platform = "WEB" }}
use = [{use}]
"""


def routed(tmp_path: Path, use: str) -> Settings:
    file = tmp_path / "shoutgraph.toml"
    file.write_text(ROUTES.format(use=use))
    return load({}, {"SHOUTGRAPH_CONFIG": str(file)})


def test_routes_come_from_the_file(tmp_path: Path):
    (route,) = routed(tmp_path, '{ id = "cards", weight = 90 }').topup.routes
    assert (route.when.country, route.when.currency, route.when.platform) == ({"DE"}, None, "WEB")
    assert [(each.id, each.weight) for each in route.use] == [("cards", 90)]


@pytest.mark.parametrize(
    ("use", "told"),
    [
        ('{ id = "card" }', "topup.routes.0: there is no instance card among the providers."),
        ('{ id = "cards" }, { id = "cards" }', "topup.routes.0: an instance is named twice."),
        ('{ id = "cards", weight = -1 }', "topup.routes.0.use.0.weight: Input should be greater than or equal to 0"),
        ("", "topup.routes.0.use: Tuple should have at least 1 item after validation, not 0"),
    ],
)
def test_a_route_that_leads_nowhere_is_refused_at_start(tmp_path: Path, use: str, told: str):
    with pytest.raises(SettingsError) as refused:
        routed(tmp_path, use)
    assert str(refused.value).startswith(told)


def test_routes_are_no_variable():
    with pytest.raises(SettingsError, match="SHOUTGRAPH_TOPUP is not a setting"):
        load({}, {"SHOUTGRAPH_TOPUP": "{}"})
