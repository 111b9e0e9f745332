"""The documents say what the code says: nothing is missing, and nothing is there that the code does not have."""

import ast
import inspect
import re
from collections.abc import Iterator

import graphql
import pytest
from tests.repo import codes, source

from shoutgraph import sdk
from shoutgraph.api.failures import OF_REFUSAL, Code
from shoutgraph.api.graphql.errors import AS_DATA
from shoutgraph.api.graphql.schema import build_schema
from shoutgraph.domain import accounts, ledger, suspense
from shoutgraph.domain.orders.states import LIVE, TERMINAL, TRANSITIONS
from shoutgraph.domain.policies import FIRST
from shoutgraph.domain.proof import Law
from shoutgraph.domain.users import ROLES, Scope
from shoutgraph.sdk.specs import HookSpecs
from shoutgraph.settings import PREFIX, Settings

CITED = re.compile(r"(?<![\w/.-])(?:[\w.-]+/)*[\w-]+\.md\b")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
WORD = re.compile(r"`([^`]+)`")
EVENT = re.compile(r"[a-z]+\.[a-z_]+")
IN_TYPESCRIPT = re.compile(r"graphql\(`(.+?)`\)", re.DOTALL)
EXAMPLE = re.compile(r"^```graphql\n(.+?)^```", re.MULTILINE | re.DOTALL)
ADR_HEADS = ["Context", "Decision", "Consequences", "Alternatives", "Enforced by"]
ADRS = sorted((source.DOCS / "adr").glob("*.md"))


def test_every_document_that_is_cited_exists():
    citing = (*source.product(), source.ROOT / "README.md", source.ROOT / "pyproject.toml")
    cited = sorted({(path, name) for path in citing for name in CITED.findall(source.text(path))})
    found = {name: (source.ROOT / name).is_file() or (path.parent / name).is_file() for path, name in cited}
    assert [f"{source.name(path)}: {name}" for path, name in cited if not found[name]] == []


def test_every_link_between_documents_leads_somewhere():
    broken = []
    for path in source.texts():
        if path.suffix == ".md":
            links = (link for link in LINK.findall(source.text(path)) if "://" not in link)
            broken += [f"{source.name(path)}: {link}" for link in links if not (path.parent / link).exists()]
    assert broken == []


@pytest.mark.parametrize("path", ADRS, ids=lambda path: path.stem)
def test_a_decision_has_its_six_parts(path):
    text = source.text(path)
    assert text.startswith(f"# {path.stem[:4]} ")
    assert re.search(r"^Status: (accepted|superseded by \[\d{4}\])", text, re.MULTILINE)
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ADR_HEADS


def test_decisions_are_numbered_without_a_gap_and_listed():
    assert [path.stem[:4] for path in ADRS] == [f"{number:04}" for number in range(1, len(ADRS) + 1)]
    listed = source.document("ARCHITECTURE.md")
    assert [path.name for path in ADRS if f"(adr/{path.name})" not in listed] == []


def test_every_setting_is_documented_as_it_is():
    wanted = [
        [f"`{PREFIX}{name.upper()}`", _default(name), field.description or ""]
        for name, field in Settings.model_fields.items()
        if name not in {"providers", "topup"}
    ]
    assert [row for row in source.rows("SETTINGS.md") if row[0].startswith(f"`{PREFIX}")] == wanted


def test_every_setting_changes_something():
    readers = (*source.under("app", "cli", "serving"), source.SRC / "settings.py")
    read = {node.attr for path in readers for node in ast.walk(source.tree(path)) if isinstance(node, ast.Attribute)}
    assert sorted(set(Settings.model_fields) - read) == []


def test_every_refusal_has_a_section_with_all_its_codes():
    documented = set()
    for leaf, section in _sections("ERRORS.md", level=3).items():
        rows = re.findall(r"^\| `([A-Z0-9_]+)` \|", section, re.MULTILINE)
        documented |= {(leaf.strip("`"), code) for code in rows}
    made = codes.made()
    assert sorted(made - documented) == [], "not in docs/ERRORS.md"
    assert sorted(documented - made) == [], "only in docs/ERRORS.md"


def test_every_refusal_is_mapped_by_the_api():
    assert set(codes.LEAVES.values()) == set(AS_DATA) | set(OF_REFUSAL)


def test_every_code_beside_graphql_is_documented():
    said = {
        node.value
        for name in ("bank_files", "media", "webhooks")
        for node in ast.walk(source.tree(source.SRC / "api" / f"{name}.py"))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and codes.CODE.fullmatch(node.value)
    }
    methods = {"GET", "HEAD", "POST"}
    assert {code for code in said - methods if f"`{code}`" not in source.document("ERRORS.md")} == set()


def test_every_code_of_errors_is_documented():
    section = _sections("ERRORS.md", level=2)["Failures in `errors[]`"]
    assert set(re.findall(r"^\| `([A-Z0-9_]+)` \|", section, re.MULTILINE)) == {code.value for code in Code}


def test_a_code_that_nothing_answers_yet_says_so():
    text = "".join(source.text(path) for path in source.under("api"))
    answered = {code.value for code in Code if re.search(rf"\bCode\.{code.name}\b(?!: \d)", text)}
    rows = re.findall(
        r"^\| `([A-Z0-9_]+)` \|(.*)$", _sections("ERRORS.md", level=2)["Failures in `errors[]`"], re.MULTILINE
    )
    silent = {code for code, row in rows if "not answered in this version" in row}
    assert silent == {code.value for code in Code} - answered


def test_every_hook_is_documented_with_its_arguments():
    text = source.document("PLUGINS.md")
    for name, hook in inspect.getmembers(HookSpecs, inspect.isfunction):
        arguments = [argument for argument in inspect.signature(hook).parameters if argument != "self"]
        assert f"`{name}({', '.join(arguments)})`" in text


def test_the_schema_file_says_what_the_code_says():
    assert source.text(source.ROOT / "schema.graphql") == build_schema().as_str() + "\n"


def test_every_example_of_the_api_is_valid():
    schema = build_schema()._schema
    pages = [path for path in source.texts() if path.suffix == ".md"]
    examples = [(source.name(page), found) for page in pages for found in EXAMPLE.findall(source.text(page))]
    wrong = [(page, graphql.validate(schema, graphql.parse(text))) for page, text in examples]
    assert examples
    assert [f"{page}: {errors[0].message}" for page, errors in wrong if errors] == []


def test_every_document_of_the_typescript_example_is_valid():
    files = sorted((source.DOCS / "examples" / "typescript" / "src").glob("*.ts"))
    documents = "\n".join(each for file in files for each in IN_TYPESCRIPT.findall(source.text(file)))
    assert [str(error) for error in graphql.validate(build_schema()._schema, graphql.parse(documents))] == []
    assert documents.count("mutation ") == documents.count("subscription ") == 1


def test_every_name_of_the_sdk_in_the_guide_exists():
    text = source.document("PLUGINS.md")
    named = {word.split("(")[0].split(".")[0] for word in WORD.findall(text) if re.match(r"[A-Z][a-z]+[A-Za-z]*", word)}
    named |= {name for line in re.findall(r"from shoutgraph.sdk import (.+)", text) for name in line.split(", ")}
    assert sorted(named - set(sdk.__all__) - {"Blocking"}) == []


TELLING = ("lapsing", "suspending")
"""Rooms of storage that tell, since several use-cases need the same."""


def test_every_event_type_is_documented():
    said = {
        node.value
        for path in (*source.under("services"), *(source.SRC / "storage" / f"{each}.py" for each in TELLING))
        for node in ast.walk(source.tree(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and EVENT.fullmatch(node.value)
    }
    made = {word for word in said - _transfer_kinds() if not word.startswith("shoutgraph.")}
    documented = {word for word in WORD.findall(_sections("GRAPHQL.md", level=2)["Events"]) if EVENT.fullmatch(word)}
    assert made
    assert made - documented == set(), "not in docs/GRAPHQL.md"
    assert documented - made == set(), "only in docs/GRAPHQL.md"


def test_every_transition_is_documented_as_it_is():
    rows = [row for row in source.rows("ORDERS.md") if row[0].isdigit()]
    wanted = [
        [
            str(each.number),
            f"`{each.name}`",
            _states(each.sources),
            each.target.value if each.target else "same",
            ", ".join(sorted(actor.lower() for actor in each.actors)),
            each.cut.lower(),
            each.coins.lower().replace("_", " "),
        ]
        for each in TRANSITIONS
    ]
    assert [row[:7] for row in rows] == wanted


def test_every_window_and_rate_is_documented_as_it_is():
    rows = {row[0].strip("`"): row[1] for row in source.rows("ORDERS.md") if not row[0].isdigit()}
    values = {name: getattr(FIRST, name) for name in FIRST.__slots__ if name != "version"}
    assert {name: rows.get(name) for name in values} == {name: str(value) for name, value in values.items()}


def test_every_transfer_is_in_the_table_of_postings():
    documented = {WORD.findall(row[1])[0] for row in source.rows("adr/0003-ledger.md") if WORD.match(row[1])}
    assert documented == _transfer_kinds()


def test_every_account_is_in_the_chart():
    text = source.document("adr/0003-ledger.md")
    made = [getattr(accounts, name) for name in ("MINT", "PROMO_MINT", "CAP_MINT")]
    made += [accounts.fee_stripe(ledger.FEE_STRIPES - 1), accounts.cap_mint_stripe(ledger.FEE_STRIPES - 1)]
    for make in (accounts.paid, accounts.promo, accounts.debt):
        made.append(make("{u}"))
    for make in (accounts.pending, accounts.available):
        made.append(make("{c}"))
    for make in (accounts.escrow, accounts.promo_escrow, accounts.refund_cap):
        made.append(make("{o}"))
    made += [accounts.coin_liability("{ccy}"), accounts.receivable("{ccy}")]
    made += [accounts.provider_cash("{instance}", "{ccy}"), accounts.disputed_money("{d}", "{ccy}")]
    missing = [account.code for account in made if f"| `{account.code}` | {account.asset} |" not in text]
    assert missing == []


def test_every_account_of_the_cash_books_is_in_the_chart():
    text = source.document("adr/0003-ledger.md")
    constants = (node.value for node in _transfers() if isinstance(node, ast.Constant))
    named = {
        word for word in constants if isinstance(word, str) and re.fullmatch(r"(cash|exp|liab|recv|rev):\w+|fx", word)
    }
    assert named
    assert [name for name in sorted(named) if f"`{name}`" not in text and f"`{name}:{{ccy}}`" not in text] == []


def test_every_law_of_the_books_is_documented():
    laws = [row[:2] for row in source.rows("adr/0003-ledger.md") if row[0] in Law.__members__]
    assert laws == [[law.name, law.value] for law in Law]


def test_every_scope_and_role_is_documented():
    rows = {tuple(row[:2]) for row in source.rows("GRAPHQL.md")}
    named = {name for name, _ in rows}
    words = {frozenset(): "none", frozenset(Scope): "all"}
    roles = {
        (f"`{role}`", words.get(scopes) or ", ".join(f"`{scope}`" for scope in Scope if scope in scopes))
        for role, scopes in ROLES.items()
    }
    assert [scope for scope in Scope if f"`{scope}`" not in named] == []
    assert roles - rows == set()


def _transfer_kinds() -> set[str]:
    return {suspense.OPENED} | {  # what takes a line in and what ends it are made alike
        call.args[0].value
        for call in _transfers()
        if isinstance(call, ast.Call) and source.called(call) == "Transfer" and isinstance(call.args[0], ast.Constant)
    }


def _transfers() -> Iterator[ast.AST]:
    """Whatever the modules say that make transfers."""
    for name in ("postings", "payout_postings", "maturing", "card_issues"):
        yield from ast.walk(source.tree(source.SRC / "domain" / f"{name}.py"))


def _default(name: str) -> str:
    default = Settings.model_fields[name].get_default(call_default_factory=True)
    shown = getattr(default, "value", default)
    return "" if shown is None or shown == () else f"`{str(shown).lower() if isinstance(shown, bool) else shown}`"


def _states(states: frozenset[object]) -> str:
    live = frozenset(LIVE)
    if states == live:
        return "any live state"
    assert not states & set(TERMINAL)
    order = {state: at for at, state in enumerate(("DRAFT", *LIVE))}
    return ", ".join(sorted((state.value for state in states), key=lambda value: order[value]))


def _sections(document: str, *, level: int) -> dict[str, str]:
    """The text under each heading of a level, up to the next heading of that level or above."""
    parts = re.split(rf"^(#{{2,{level}}}) (.+)$", source.document(document), flags=re.MULTILINE)
    found = {}
    for marks, head, body in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        if len(marks) == level:
            found[head.strip()] = body
    return found
