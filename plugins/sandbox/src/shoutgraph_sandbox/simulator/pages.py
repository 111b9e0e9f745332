"""The hosted pages as HTML: no scripts, nothing from elsewhere, usable by keyboard and screen reader."""

import sqlite3
from dataclasses import dataclass
from html import escape
from typing import Final
from urllib.parse import urlsplit

from shoutgraph.sdk import minor_digits
from shoutgraph_sandbox.simulator import magic
from shoutgraph_sandbox.simulator.magic import Magic

ENDED: Final = {
    "paid": ("Payment complete", "Thank you. This payment has arrived."),
    "processing": ("Payment under way", "Your bank is working on it. You need not wait here."),
    "declined": ("Payment declined", "No money was taken. Go back to try again with another payment."),
    "cancelled": ("Payment cancelled", "No money was taken."),
    "expired": ("This page has expired", "No money was taken. Go back to start again."),
}


@dataclass(frozen=True, slots=True)
class Page:
    """A page and the sites that its form may lead to."""

    html: str
    leads_to: tuple[str, ...]


def checkout(row: sqlite3.Row, css: str, base_url: str) -> Page:
    """The page that asks the fan to pay, or says that there is nothing to pay any more."""
    if row["status"] != "action_required":
        return _ended(row, css)
    needs_step = magic.of(row["amount"]) is Magic.NEEDS_ACTION
    pay = "" if needs_step else _button("pay", f"Pay {_amount(row)}", "act")
    step_label = f"Pay {_amount(row)} with 3-D Secure" if needs_step else "Pay after a 3-D Secure step"
    body = f"""
{_summary(row)}
<form method="post" action="{base_url}/checkout/{row["id"]}">
{pay}
{_button("verify", step_label, "act" if needs_step else "")}
{_button("later", "Pay later (settles with a delay)", "")}
{_button("decline", "Decline this payment", "stop")}
</form>"""
    return _page(row, css, f"Pay {_amount(row)}", body)


def verify(row: sqlite3.Row, css: str, base_url: str, *, wrong: bool) -> Page:
    """The page that asks for the code."""
    alert = '<p class="wrong" role="alert" id="wrong">This code is not right. Try again.</p>' if wrong else ""
    described = "hint wrong" if wrong else "hint"
    invalid = ' aria-invalid="true"' if wrong else ""
    body = f"""
{_summary(row)}
<form method="post" action="{base_url}/checkout/{row["id"]}/verify">
<label for="code">Code from your bank</label>
<input id="code" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="8" required
 autofocus aria-describedby="{described}"{invalid}>
{alert}
<p class="hint" id="hint">In the sandbox the code is always 1234.</p>
<button class="act" type="submit">Confirm payment</button>
</form>"""
    return _page(row, css, "Confirm it is you", body)


def missing(css: str) -> Page:
    """The page for a payment that does not exist."""
    card = '<section class="card"><h1>There is no such payment</h1></section>'
    return Page(_document("There is no such payment", css, card), ())


def _ended(row: sqlite3.Row, css: str) -> Page:
    title, told = ENDED[row["status"]]
    body = f"""
<h1>{title}</h1>
<p class="amount">{_shown(row)}</p>
<p role="status">{told}</p>
<a class="button act" href="{escape(row["return_url"])}">Back to the shop</a>"""
    return Page(_document(title, css, f'<section class="card">{body}</section>'), ())


def _page(row: sqlite3.Row, css: str, title: str, body: str) -> Page:
    card = f"""<section class="card" aria-label="{escape(title)}">{body}</section>
<footer><a href="{escape(row["cancel_url"])}">Go back without paying</a></footer>"""
    leads_to = tuple({_origin(row["return_url"]), _origin(row["cancel_url"])})
    return Page(_document(title, css, card), leads_to)


def _document(title: str, css: str, main: str) -> str:
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{escape(title)} - Sandbox</title>
<style>{css}</style>
</head>
<body>
<main>
<p class="note"><strong>Sandbox</strong> <span>No real money moves on this page.</span></p>
{main}
</main>
</body>
</html>
"""


def _summary(row: sqlite3.Row) -> str:
    return f"""<h1>Amount to pay</h1>
<p class="amount">{_shown(row)}</p>
<dl>
<dt>For</dt><dd>{escape(row["descriptor"])}</dd>
<dt>Reference</dt><dd>{escape(row["operation_id"])}</dd>
</dl>"""


def _button(value: str, label: str, kind: str) -> str:
    of_kind = f' class="{kind}"' if kind else ""
    return f'<button{of_kind} type="submit" name="choice" value="{value}">{escape(label)}</button>'


def _number(row: sqlite3.Row) -> str:
    digits = minor_digits(row["currency"])
    whole, part = divmod(row["amount"], 10**digits)
    return f"{whole:,}" + (f".{part:0{digits}d}" if digits else "")


def _amount(row: sqlite3.Row) -> str:
    return f"{row['currency']} {_number(row)}"


def _shown(row: sqlite3.Row) -> str:
    return f"{_number(row)} <small>{escape(row['currency'])}</small>"


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
