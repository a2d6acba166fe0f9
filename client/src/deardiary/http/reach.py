"""Which addresses a request may reach whose URL a server has chosen.

A hostile server could otherwise name a service that only this machine can reach: one on loopback or in the local
network, or the metadata service of a cloud.
"""

from __future__ import annotations

import contextlib
import enum
import ipaddress
import socket
from typing import TYPE_CHECKING

from deardiary.errors import STORE_FORBIDDEN, ClientError

if TYPE_CHECKING:
    from collections.abc import Collection

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Metadata services whose addresses are not link-local: AWS by IPv6, Alibaba, Azure.
_METADATA = frozenset(map(ipaddress.ip_address, ("fd00:ec2::254", "100.100.100.200", "168.63.129.16")))
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class Zone(enum.Enum):
    """Who shares an address: the world, a local network, this machine; ``FORBIDDEN`` is for no store."""

    PUBLIC = "public"
    PRIVATE = "private"
    LOOPBACK = "loopback"
    FORBIDDEN = "forbidden"


def zone_of(address: str) -> Zone:
    """The zone of an IP address as `socket` gives it. ValueError when it is none."""
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
    """The address that a host spells out, also as ``127.1``, ``0x7f000001`` or ``localhost``; None for other names."""
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return "127.0.0.1"
    with contextlib.suppress(ValueError):
        return str(ipaddress.ip_address(name))
    with contextlib.suppress(OSError):
        return socket.inet_ntoa(socket.inet_aton(name))
    return None


def zone_of_api(host: str) -> Zone:
    """The zone in which an API is by its name alone: a name that DNS resolves proves nothing, and counts as public."""
    address = literal_of(host)
    return settled(zone_of(address)) if address else Zone.PUBLIC


def settled(zone: Zone) -> Zone:
    """The zone that an API at such an address opens to its store: a forbidden one opens nothing."""
    return Zone.PUBLIC if zone is Zone.FORBIDDEN else zone


def allows(opened: Zone, zone: Zone, host: str, trusted: Collection[str]) -> bool:
    """Whether a store may be in this zone; ``opened`` is the API's own, ``trusted`` hosts the user has named."""
    return zone in (Zone.PUBLIC, opened) or (host in trusted and zone is not Zone.FORBIDDEN)


def forbidden(host: str, address: str) -> ClientError:
    where = host if host == address else f"{host} ({address})"
    message = (
        f"The server names a store at {where}, an address that is not public and not in the server's own network: "
        "nothing is sent there. If that is your store, name the host in DEARDIARY_STORE_HOSTS"
    )
    return ClientError(0, STORE_FORBIDDEN, message)


def _embedded(address: ipaddress.IPv6Address) -> _Address | None:
    """The IPv4 address to which a gateway translates this one."""
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.sixtofour
