"""Connections to addresses that others chose: none to a private network, unless the operator allows it."""

import asyncio
import socket
import ssl
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import ip_network

import httpx
from ssrfguard import BlockedAddressError, BlockedURLError, Policy, SSRFGuardError
from ssrfguard.httpx import AsyncClient

from cleartosend import __version__
from cleartosend.settings import BadSettings, Settings

ANY_PORT = frozenset(range(1, 65536))

TROUBLE = (httpx.HTTPError, httpx.InvalidURL, SSRFGuardError, OSError)
"""What a request may end with instead of an answer."""


class BadNetworks(Exception):
    """What should be networks is something else; the message quotes it."""


class Guard:
    """
    Decides which addresses may be connected to, and opens connections to no others.

    A name is resolved once; every address that it has must be a public one or lie in an allowed network, and the
    connection goes to an address that was checked. Host header, SNI and certificate stay the name's.
    """

    def __init__(self, allowed: str = "", *, ports: frozenset[int] = ANY_PORT) -> None:
        """
        Allow, beside what is public, the networks given: "127.0.0.0/8,10.1.0.0/16".

        Raises BadNetworks.
        """
        written = [network.strip() for network in allowed.split(",") if network.strip()]
        try:
            self._policy = Policy(
                allowed_networks=tuple(ip_network(network) for network in written), allowed_ports=ports
            )
        except ValueError as error:
            raise BadNetworks(str(error)) from error

    def objection(self, url: str) -> str | None:
        """Why nothing may be sent to a URL, as far as it tells by itself: its name may still lead to a bad place."""
        try:
            self._policy.check_url(url)
        except SSRFGuardError as refused:
            return str(refused)
        return None

    async def objection_to_name(self, url: str) -> str | None:
        """As `objection`, and looks up where the name leads now; a name that leads nowhere yet is no objection."""
        if problem := self.objection(url):
            return problem
        parts = httpx.URL(url)
        try:
            found = await asyncio.get_running_loop().getaddrinfo(parts.host, parts.port, type=socket.SOCK_STREAM)
        except OSError:
            return None
        addresses = {str(address[0]) for *_kind, address in found}
        return next((problem for one in sorted(addresses) if (problem := self.objection(_at(parts, one)))), None)

    def client(self, *, most_connections: int, tls: ssl.SSLContext | None = None) -> httpx.AsyncClient:
        """
        A client that connects where this guard allows it.

        It follows no redirects, keeps no cookies and asks the environment for no proxy. What goes wrong is one of
        TROUBLE. It sets no time limit: reading a byte now and then meets any, so its users limit the whole.
        """
        return AsyncClient(
            policy=self._policy,
            verify=tls or httpx.create_ssl_context(),
            follow_redirects=False,
            trust_env=False,
            timeout=None,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            limits=httpx.Limits(max_connections=most_connections, max_keepalive_connections=most_connections),
            # No compression: what is read may be bounded by what comes in.
            headers={"User-Agent": f"cleartosend/{__version__}", "Accept-Encoding": "identity"},
        )


def in_words(error: Exception) -> str:
    """What went wrong, without the URL: its query may hold a secret."""
    if isinstance(error, BlockedAddressError | BlockedURLError):
        return f"not allowed: {error.reason}"
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _at(url: httpx.URL, address: str) -> str:
    """The same URL at an address instead of a name."""
    return str(url.copy_with(host=address))


def guard_of_callbacks(settings: Settings) -> Guard:
    """Lets callbacks go where the operator allows it. Raises BadSettings."""
    return _guard(settings.callback_networks, setting="callback_networks")


def guard_of_links(settings: Settings) -> Guard:
    """Lets links lead where the operator allows it. Raises BadSettings."""
    return _guard(settings.link_networks, setting="link_networks")


def _guard(networks: str, *, setting: str) -> Guard:
    try:
        return Guard(networks)
    except BadNetworks as error:
        message = f"{setting}: {error}"
        raise BadSettings(message) from error


async def read_at_most(answer: httpx.Response, size_bytes: int) -> bytes | None:
    """The body of an answer as it came, or None when it is longer."""
    body = bytearray()
    async for chunk in answer.aiter_raw():
        body += chunk
        if len(body) > size_bytes:
            return None
    return bytes(body)
