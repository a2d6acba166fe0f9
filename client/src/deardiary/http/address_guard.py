"""The addresses that a request may reach if a server has chosen its URL.

Without this check a hostile server could name a service that only this machine can reach: on loopback, in the local
network, or the metadata service of a cloud.
"""

import contextlib
import enum
import ipaddress
import socket
from collections.abc import Collection

from deardiary.errors import STORE_FORBIDDEN, ClientError

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Metadata services whose addresses are not link-local: AWS by IPv6, Alibaba, Azure.
_METADATA = frozenset(map(ipaddress.ip_address, ("fd00:ec2::254", "100.100.100.200", "168.63.129.16")))
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class Zone(enum.Enum):
    """The scope of an address: the internet, a local network, this machine. No store may be in ``FORBIDDEN``."""

    PUBLIC = "public"
    PRIVATE = "private"
    LOOPBACK = "loopback"
    FORBIDDEN = "forbidden"


def zone_of(address: str) -> Zone:
    """The zone of an IP address in the form that `socket` returns. ValueError for any other text."""
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return Zone.FORBIDDEN
        found = _embedded(found) or found
    if found in _METADATA or found.is_link_local or found.is_multicast or found.is_unspecified:
        return Zone.FORBIDDEN
    if found.is_loopback:
        return Zone.LOOPBACK
    if isinstance(found, ipaddress.IPv4Address) and found.is_reserved:
        return Zone.FORBIDDEN
    return Zone.PUBLIC if found.is_global else Zone.PRIVATE


def literal_of(host: str) -> str | None:
    """The address of a literal host, also of ``127.1``, ``0x7f000001`` and ``localhost``; None for other names."""
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return "127.0.0.1"
    with contextlib.suppress(ValueError):
        return str(ipaddress.ip_address(name))
    with contextlib.suppress(OSError):
        return socket.inet_ntoa(socket.inet_aton(name))
    return None


def zone_of_api(host: str) -> Zone:
    """The zone of an API by its host alone: a DNS name is no proof of a zone, so it counts as public."""
    address = literal_of(host)
    return settled(zone_of(address)) if address else Zone.PUBLIC


def settled(zone: Zone) -> Zone:
    """The zone that an API in ``zone`` opens to its store: a forbidden zone opens only the public one."""
    return Zone.PUBLIC if zone is Zone.FORBIDDEN else zone


def allows(opened: Zone, zone: Zone, host: str, trusted: Collection[str]) -> bool:
    """True if a store may be in this zone. ``opened`` is the API's zone; the user has named the ``trusted`` hosts."""
    return zone in (Zone.PUBLIC, opened) or (host in trusted and zone is not Zone.FORBIDDEN)


def forbidden(host: str, address: str) -> ClientError:
    where = host if host == address else f"{host} ({address})"
    message = (
        f"The server names a store at {where}, an address that is not public and not in the server's own network: "
        "nothing is sent there. If that is your store, name the host in DEARDIARY_STORE_HOSTS"
    )
    return ClientError(0, STORE_FORBIDDEN, message)


def _embedded(address: ipaddress.IPv6Address) -> _Address | None:
    """The IPv4 address to which a NAT64 or 6to4 gateway translates this one, else None."""
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.sixtofour
