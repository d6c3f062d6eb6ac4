"""A web site on loopback whose pages a test writes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import msgspec

PAGE = "<html><head><title>{title}</title></head><body><p>{text}</p></body></html>"
FAIR = PAGE.format(title="订单查询", text="请输入订单号，查询您的订单配送进度。如有疑问请联系在线客服，谢谢。")


class Answer(msgspec.Struct, frozen=True):
    """What the site answers at one path."""

    body: str | bytes = FAIR
    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "text/html; charset=utf-8"),)


class Site:
    """Answers by path; a test may change the answers while it runs."""

    def __init__(self) -> None:
        self.port = 0
        self.pages: dict[str, Answer | Callable[[str], Answer]] = {"/": Answer()}
        self.asked: list[str] = []

    def url(self, path: str = "/", host: str = "localhost") -> str:
        return f"http://{host}:{self.port}{path}"

    def redirect(self, path: str, to: str) -> None:
        self.pages[path] = Answer("", 302, (("Location", to),))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                path = head.split(" ")[1]
                self.asked.append(path)
                page = self.pages.get(path, Answer("nothing here", 404))
                answer = page(head) if callable(page) else page
                body = answer.body if isinstance(answer.body, bytes) else answer.body.encode()
                lines = [f"HTTP/1.1 {answer.status} -", f"Content-Length: {len(body)}"]
                lines += [f"{name}: {value}" for name, value in answer.headers]
                writer.write("\r\n".join([*lines, "", ""]).encode() + body)
                await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def site() -> AsyncIterator[Site]:
    """The site, served on a free port of loopback."""
    its = Site()
    server = await asyncio.start_server(its.serve, "127.0.0.1", 0)
    its.port = server.sockets[0].getsockname()[1]
    try:
        yield its
    finally:
        server.close()
