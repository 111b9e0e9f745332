"""What the SDK raises: at the plugin, never at a fan.

SdkError
├── BadSignature      a webhook that nobody trusted signed
├── MalformedNotice   a webhook that is genuine but cannot be read
└── CallError         an HTTP call of a plugin did not come back with an answer
    ├── NotSent       nothing left this machine: a proof that nothing happened
    └── NoAnswer      something may have happened: nobody knows
"""


class SdkError(Exception):
    """The root of everything that the SDK raises on purpose."""


class BadSignature(SdkError):  # noqa: N818 -- it names what is wrong, as the refusal of a proof
    """The webhook is not proven: no signature matched, or its time is out of bounds."""


class MalformedNotice(SdkError):  # noqa: N818 -- as above
    """The webhook is proven, yet its body is not what the provider documents."""


class CallError(SdkError):
    """An HTTP call gave no usable answer."""


class NotSent(CallError):  # noqa: N818 -- as above
    """No connection was made, so no byte of the request left: a proof that nothing happened."""


class NoAnswer(CallError):  # noqa: N818 -- as above
    """The request may have arrived, and its answer did not: the outcome is unknown."""
