"""No connection is opened to an address that is not allowed: what is looked at is the socket, below every library."""

import asyncio
import socket
import ssl
import threading
from asyncio.selector_events import BaseSelectorEventLoop
from pathlib import Path
from typing import Any

import httpx
import pytest
from delivery.certificates import certificate_for
from delivery.receiver import OK, http, receiving, says

from cleartosend.outbound import TROUBLE, BadNetworks, Guard, in_words

PUBLIC = "93.184.215.14"
ANSWER_SECONDS = 10


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that connections would have been opened to; none is."""
    addresses: list[str] = []

    async def refuse(_loop: object, _socket: object, address: tuple[Any, ...]) -> None:
        addresses.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(BaseSelectorEventLoop, "sock_connect", refuse)
    return addresses


class Names:
    """What names resolve to, and how often somebody asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answers: dict[str, list[list[str]]] = {}
        """By name: the addresses of the first answer, of the second, ...; the last one for ever."""
        self.asked = 0
        self._ask = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self._answer)

    def _answer(self, host: Any, port: Any, *arguments: Any, **named: Any) -> list[Any]:
        answers = self.answers.get(host)
        if answers is None:
            return self._ask(host, port, *arguments, **named)
        self.asked += 1
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [one for address in addresses for one in self._ask(address, port, type=socket.SOCK_STREAM)]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    return Names(monkeypatch)


async def post(guard: Guard, url: str, *, tls: ssl.SSLContext | None = None) -> httpx.Response:
    async with asyncio.timeout(ANSWER_SECONDS), guard.client(most_connections=1, tls=tls) as client:
        return await client.post(url, content=b"{}")


# Written in as many ways as people have found to write them.
PRIVATE = [
    "http://127.0.0.1/",
    "http://127.8.9.1:8080/",
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.1/",
    "http://0177.0.0.1/",
    "http://0/",
    "http://0.0.0.0/",
    "http://①②⑦.⓪.⓪.①/",
    "http://[::1]/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:10.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.1.1:9200/",
    "http://100.64.0.1/",
    "http://169.254.1.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://100.100.100.200/latest/meta-data/",
    "http://[fd00:ec2::254]/",
    "http://[fe80::1]/",
    "http://[fc00::1]/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://localhost/",
]


@pytest.mark.parametrize("url", PRIVATE)
async def test_no_connection_is_opened_to_a_private_address_however_it_is_written(url: str, opened: list[str]) -> None:
    with pytest.raises(TROUBLE):
        await post(Guard(), url)
    assert opened == []


BAD_URLS = [
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://example.com/",
    "http://user:word@example.com/",
    "http://",
    "http:///path",
    "//example.com/",
    "example.com",
    "http://example.com:0/",
    "http://example.com:65536/",
    "http://exa mple.com/",
    "http://example.com\r\nX: 1/",
    "",
    *PRIVATE[:4],
    "http://169.254.169.254/",
]


@pytest.mark.parametrize("url", BAD_URLS)
def test_an_address_that_nothing_may_be_sent_to_is_objected_to_when_it_is_set(url: str) -> None:
    assert Guard().objection(url)


def test_addresses_of_all_the_world_on_any_port_are_not_objected_to() -> None:
    for url in (
        "https://example.com/sms?key=1",
        "http://example.com:8081/a",
        "https://示例.cn/回执",
        f"http://{PUBLIC}/",
    ):
        assert Guard().objection(url) is None


@pytest.mark.parametrize("addresses", [["10.0.0.7"], [PUBLIC, "10.0.0.7"], ["::ffff:169.254.169.254"]])
async def test_a_name_that_leads_to_a_private_address_is_not_followed(
    addresses: list[str], names: Names, opened: list[str]
) -> None:
    names.answers["customer.example"] = [addresses]
    with pytest.raises(TROUBLE) as refused:
        await post(Guard(), "http://customer.example/")
    assert in_words(refused.value).startswith("not allowed")
    assert opened == []


async def test_the_connection_goes_to_the_address_that_was_checked(names: Names, opened: list[str]) -> None:
    # The second answer would be another.
    names.answers["customer.example"] = [[PUBLIC], ["127.0.0.1"]]
    with pytest.raises(httpx.ConnectError):
        await post(Guard(), "https://customer.example/")
    assert opened == [PUBLIC]
    assert names.asked == 1


async def test_a_name_that_takes_for_ever_to_resolve_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    enough = threading.Event()

    def wait(*_arguments: object, **_named: object) -> list[Any]:
        enough.wait(ANSWER_SECONDS)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", wait)
    async with Guard().client(most_connections=1) as client:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await client.post("http://customer.example/", content=b"{}")
        assert not enough.is_set()
        enough.set()


async def test_an_allowed_network_is_reached_and_another_is_not(opened: list[str]) -> None:
    guard = Guard("10.1.0.0/16, fd00::/8")
    for url, address in (("http://10.1.2.3:8080/", "10.1.2.3"), ("http://[fd00::7]/", "fd00::7")):
        assert guard.objection(url) is None
        with pytest.raises(httpx.ConnectError):
            await post(guard, url)
        assert opened.pop() == address
    with pytest.raises(TROUBLE):
        await post(guard, "http://10.2.0.1/")
    assert opened == []


@pytest.mark.parametrize("networks", ["loopback", "10.1.0.1/16", "10.0.0.0/8;127.0.0.1", "64:ff9b::/96"])
def test_networks_that_are_none_are_refused(networks: str) -> None:
    with pytest.raises(BadNetworks):
        Guard(networks)


async def test_host_and_server_name_stay_the_names(names: Names, tmp_path: Path) -> None:
    asked_for: list[str | None] = []
    ours, theirs = certificate_for("customer.example", tmp_path)
    ours.sni_callback = lambda _socket, name, _context: asked_for.append(name)
    names.answers["customer.example"] = [["127.0.0.1"]]
    async with receiving(tls=ours) as receiver:
        url = f"https://customer.example:{receiver.port}/callback"
        answer = await post(Guard("127.0.0.0/8"), url, tls=theirs)
        assert answer.status_code == 200
        # The same server under another name has no certificate for it.
        names.answers["another.example"] = [["127.0.0.1"]]
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await post(Guard("127.0.0.0/8"), url.replace("customer", "another"), tls=theirs)
    assert asked_for == ["customer.example", "another.example"]
    assert [push.headers["host"] for push in receiver.heard] == [f"customer.example:{receiver.port}"]


async def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiving() as proxy, receiving() as receiver:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        await post(Guard("127.0.0.0/8"), receiver.url)
    assert len(receiver.heard) == 1
    assert proxy.heard == []


async def test_redirects_are_not_followed_and_cookies_not_kept() -> None:
    async with receiving() as elsewhere, receiving() as receiver:
        receiver.behaviour = says(http("302 Found", b"", f"Location: {elsewhere.url}", "Set-Cookie: a=b; Path=/"), OK)
        async with Guard("127.0.0.0/8").client(most_connections=1) as client:
            answers = [(await client.post(receiver.url, content=b"{}")).status_code for _ in range(2)]
    assert answers == [302, 200]
    assert elsewhere.heard == []
    assert not any("cookie" in push.headers for push in receiver.heard)
