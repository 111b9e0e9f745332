"""Where a request comes from: the address of the peer, or what a proxy that we trust says of its own.

Source: RFC 4291, 2.5.4: a site has 2^64 addresses of IPv6 and more, so they count as one.
"""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from starlette.types import Scope

FORWARDED: Final = b"x-forwarded-for"
HOPS_MAX: Final = 8
"""Proxies in a row whose word is taken."""
SITE_BITS: Final = 64
NOWHERE: Final = "nowhere"
"""A peer without an address, such as a local socket."""
KEPT_MAX: Final = 4_096

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def networks_of(texts: Iterable[str]) -> tuple[Network, ...]:
    """The networks of these texts, each an address or a network with its prefix.

    Raises:
        ValueError: one of them is neither.
    """
    return tuple(ip_network(text) for text in texts)


class Peers:
    """Finds the address that a request comes from, behind as many of our proxies as there are."""

    def __init__(self, trusted: Iterable[Network] = ()) -> None:
        self._trusted = tuple(trusted)

    def address_of(self, scope: Scope) -> str:
        """The address, or the site of an IPv6 address. What strangers say of themselves is not believed."""
        client = scope.get("client")
        if client is None:
            return NOWHERE
        address = _read(client[0])
        if self._trusted and self._trusts(address):
            for hop in _hops(scope):
                address = _read(hop)
                if not self._trusts(address):
                    break
        return NOWHERE if address is None else _site(address)

    def _trusts(self, address: Address | None) -> bool:
        return address is not None and any(address in network for network in self._trusted)


def _hops(scope: Scope) -> list[str]:
    """The addresses that proxies wrote down, the nearest first."""
    said = ",".join(value.decode("latin-1") for name, value in scope["headers"] if name == FORWARDED)
    return [hop.strip() for hop in said.rsplit(",", HOPS_MAX)[-HOPS_MAX:][::-1] if hop.strip()]


@lru_cache(KEPT_MAX)
def _read(text: str) -> Address | None:
    try:
        address = ip_address(text.strip("[]"))
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


@lru_cache(KEPT_MAX)
def _site(address: Address) -> str:
    return str(address if isinstance(address, IPv4Address) else ip_network((address, SITE_BITS), strict=False))
