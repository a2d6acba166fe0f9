"""The route of a request: direct, or through the machine's proxy."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

from deardiary.errors import ClientError
from deardiary.http.address_guard import Zone

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy; ``headers`` sign in to it."""

    host: str
    port: int
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """The endpoint of a connection. Requests of one route may share connections.

    ``opened`` is the zone that a store may be in besides the public one; None for requests to the user's server.
    """

    scheme: str
    host: str
    port: int
    proxy: Proxy | None = None
    opened: Zone | None = None


def find_route(url: SplitResult, proxies: Mapping[str, str] | None = None) -> Route:
    """The route to a URL. ``proxies`` maps schemes to proxies and defaults to the machine's own settings.

    Those are HTTP_PROXY, HTTPS_PROXY, NO_PROXY and the like, as `urllib.request.getproxies` reads them. Loopback
    never uses a proxy. ClientError for a URL that is neither http nor https, and for a proxy that is not http.
    """
    if url.scheme not in _PORTS or not url.hostname:
        raise ClientError(0, "URL_INVALID", f"Expected an http or https URL, not one of scheme {url.scheme!r}")
    port = url.port or _PORTS[url.scheme]
    return Route(url.scheme, url.hostname, port, _proxy(url.scheme, url.hostname, proxies))


def _proxy(scheme: str, host: str, proxies: Mapping[str, str] | None) -> Proxy | None:
    if host in _LOOPBACK:
        return None
    if proxies is None:
        proxies = _proxies_of_machine(host)
    address = proxies.get(scheme) or proxies.get("all")
    return _parse(address) if address else None


def _proxies_of_machine(host: str) -> Mapping[str, str]:
    from urllib.request import getproxies, proxy_bypass

    return {} if proxy_bypass(host) else getproxies()


def _parse(address: str) -> Proxy:
    url = urlsplit(address if "://" in address else f"http://{address}")
    if url.scheme != "http" or not url.hostname:
        raise ClientError(0, "PROXY_UNSUPPORTED", f"Only http:// proxies are supported, not {url.scheme}://")
    return Proxy(url.hostname, url.port or _PORTS["http"], _sign_in(url))


def _sign_in(url: SplitResult) -> tuple[tuple[str, str], ...]:
    if url.username is None:
        return ()
    pair = f"{unquote(url.username)}:{unquote(url.password or '')}".encode()
    return (("Proxy-Authorization", "Basic " + base64.b64encode(pair).decode()),)
