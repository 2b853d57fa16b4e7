"""A server that does whatever a server can do wrong, on this machine, and a made-up source that it publishes."""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from faultbench.errors import DataError

Answer = Callable[[BaseHTTPRequestHandler], None]


def content_of(name: str, size: int = 300_000) -> bytes:
    """What the made-up source keeps in a file: its name, and bytes that do not repeat."""
    head = f"made-up {name}\n".encode()
    blocks = (hashlib.sha256(f"{name} {number}".encode()).digest() for number in range(size // 32 + 1))
    return (head + b"".join(blocks))[:size]


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Reader:
    """The made-up data set: a file is readable if it begins as content_of says, whatever follows."""

    def __init__(self) -> None:
        self.checked: list[str] = []

    def check_file(self, file: Path) -> None:
        self.checked.append(file.name)
        if not file.read_bytes().startswith(f"made-up {file.name}\n".encode()):
            raise DataError(f"made-up: {file.name} does not say what it is: get it again")


@dataclass
class Asked:
    """A request that the server got."""

    path: str
    headers: dict[str, str]


@dataclass
class Rogue:
    """The server: answers by path, one after the other, the last for ever."""

    address: str
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0

    def url(self, path: str) -> str:
        return f"{self.address}/{path}"

    def put(self, path: str, *answers: Answer) -> str:
        self.answers[f"/{path}"] = list(answers)
        return self.url(path)

    def ranges(self) -> list[str]:
        return [asked.headers.get("Range", "") for asked in self.asked]


def whole(content: bytes, *, ranges: bool = True, tag: str = "", kind: str = "application/octet-stream") -> Answer:
    """As an honest server answers."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        first = 0
        asked = handler.headers.get("Range", "")
        same = handler.headers.get("If-Range") in (None, tag)
        if ranges and asked.startswith("bytes=") and same:
            first = int(asked.removeprefix("bytes=").rstrip("-"))
            if first >= len(content):
                handler.send_error(416)
                return
            handler.send_response(206)
            handler.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        else:
            handler.send_response(200)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(content) - first))
        if tag:
            handler.send_header("ETag", tag)
        handler.end_headers()
        handler.wfile.write(content[first:])

    return answer


def says(content: bytes, length: int | str, *, tag: str = "") -> Answer:
    """Announces one length and sends another."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(length))
        if tag:
            handler.send_header("ETag", tag)
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def drops(content: bytes, after: int, *, tag: str = "") -> Answer:
    """Breaks off."""
    return says(content[:after], len(content), tag=tag)


def unannounced(content: bytes) -> Answer:
    """Says no length; the end is the end of the connection."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def status(code: int, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for key, value in headers.items():
            handler.send_header(key.replace("_", "-"), value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def silent(seconds: float, content: bytes = b"") -> Answer:
    """Begins, and then says nothing for a while."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if content:
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(content)))
            handler.end_headers()
            handler.wfile.write(content[: len(content) // 2])
            handler.wfile.flush()
        time.sleep(seconds)

    return answer


@contextlib.contextmanager
def serving() -> Iterator[Rogue]:
    """The server, while the body lasts."""
    counting = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with counting:
                server.at_once += 1
                server.most_at_once = max(server.most_at_once, server.at_once)
                server.asked.append(Asked(self.path, dict(self.headers.items())))
                answers = server.answers.get(self.path, [])
                answer = answers.pop(0) if len(answers) > 1 else (answers[0] if answers else status(404))
            try:
                answer(self)
            except (BrokenPipeError, ConnectionResetError):
                pass
            finally:
                with counting:
                    server.at_once -= 1

        def log_message(self, *_: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server = Rogue(f"http://127.0.0.1:{http.server_port}")
    thread = threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    http.shutdown()
    http.server_close()
