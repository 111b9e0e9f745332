"""What an instance of SEPA is configured with: the account that pays. There is nothing secret about it."""

from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from schwifty import BIC, IBAN
from schwifty.exceptions import SchwiftyException

from shoutgraph_sepa import characters, recipients

LEAD_DAYS_MAX: Final = 30


def _iban(text: str) -> str:
    try:
        account = IBAN(text)
    except (SchwiftyException, ValueError):
        raise ValueError("an IBAN whose check digits are right") from None
    if str(account.country_code) not in recipients.SEPA:
        raise ValueError("an IBAN of a country in SEPA")
    return str(account.compact)


def _bic(text: str) -> str:
    try:
        return str(BIC(text).compact)
    except (SchwiftyException, ValueError):
        raise ValueError("a BIC of 8 or 11 characters") from None


def _name(text: str) -> str:
    if not characters.latin(text, "", recipients.NAME_CHARS_MAX):
        raise ValueError("a name of Latin letters")
    return text


class SepaConfig(BaseModel):
    """Whose account pays, and when."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: Annotated[str, AfterValidator(_name)] = Field(
        title="Name", description="Who pays: the holder of the account, as the bank knows them.", max_length=70
    )
    iban: Annotated[str, AfterValidator(_iban)] = Field(title="IBAN", description="The account that pays.")
    bic: Annotated[str, AfterValidator(_bic)] | None = Field(
        default=None, title="BIC", description="The bank that the files go to; only where it insists on it."
    )
    lead_days: int = Field(
        default=1,
        ge=0,
        le=LEAD_DAYS_MAX,
        title="Lead days",
        description="How many days after a batch is made its file asks to be carried out: time to hand it over.",
    )
