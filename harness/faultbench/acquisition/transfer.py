"""One transfer of one file over HTTP: pooch's downloader, made to go on where it was broken off, and to distrust what comes.

pooch writes to a temporary file and throws it away when a connection drops. Here the bytes go to `<name>.part`, which stays. The next
request asks for the rest (`Range`), on the condition that the file is still the same (`If-Range`) wherever no SHA-256 will tell.
A server that does not know how to do that sends the whole, and the transfer begins again.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from urllib.parse import urljoin, urlsplit

from faultbench import __version__
from faultbench.acquisition.publication import PublishedFile
from faultbench.acquisition.space import check_room, size_text
from faultbench.errors import DataError
from faultbench.regularfile import read_regular

USER_AGENT = f"faultbench/{__version__} (gets bearing data for its user, one file at a time)"
PART = ".part"
"""What the name of a file ends with while it is coming."""
_CHUNK = 1 << 16
_MOST_BYTES = 16 << 30
"""Of a file whose size is not known."""
_ASK_EVERY_BYTES = 64 << 20
"""How often it is asked whether there is still room, for a file that never ends."""
_HTML = (b"<!doctype", b"<html", b"<?xml", b"<head")
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)", re.ASCII)
_LONGEST_NOTE = 10_000


class RefusedError(Exception):
    """This address does not give the file, and will not when asked again."""


class BrokenOffError(Exception):
    """The transfer did not come to its end; asked again, it may."""


@dataclass(slots=True)
class Part:
    """What has come of a file so far.

    Args:
        path: Where the bytes lie.
        resumed: Whether the last transfer went on with bytes of an earlier one.
    """

    path: Path
    resumed: bool = False

    @property
    def note(self) -> Path:
        """Where it is noted which version of the file the bytes are of."""
        return self.path.with_name(f"{self.path.name}.json")

    @property
    def size_bytes(self) -> int:
        """How many bytes have come."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    def drop(self) -> None:
        """Forgets them."""
        self.path.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)

    def validator(self, url: str) -> str:
        """What an earlier answer of this address said of the file's version; empty where nothing sure is known."""
        try:
            said = json.loads(read_regular(self.note, _LONGEST_NOTE, "remove it"))
        except (DataError, ValueError, RecursionError):
            return ""
        if not isinstance(said, dict) or said.get("url") != url or not isinstance(said.get("version"), str):
            return ""
        version: str = said["version"]
        return version if version.isascii() and version.isprintable() else ""

    def remember(self, url: str, version: str) -> None:
        """Notes the version of the file that the bytes are of."""
        self.note.write_text(json.dumps({"url": url, "version": version}), encoding="utf-8")


@dataclass(slots=True)
class ResumingDownloader:
    """What pooch calls to download: its own HTTP downloader, writing to a part that outlives a broken transfer.

    Args:
        file: What is got; its size and digest count where they were checked.
        part: What has come of it so far.
        connect_s: How long a server may take to answer at all.
        read_s: How long it may then be silent.
        advance: Told how many bytes are there, and how many there will be, where that is known.
    """

    file: PublishedFile
    part: Part
    connect_s: float
    read_s: float
    advance: Callable[[int, int | None], None] = field(default=lambda _done, _total: None)

    def __call__(self, url: str, output_file: str, pooch: Any, check_only: bool = False) -> None:  # noqa: ARG002 - pooch's contract
        """Downloads to a file that pooch then checks and renames.

        Raises:
            RefusedError: What the server offers is not the file.
            BrokenOffError: It did not come whole.
            DataError: There is no room for it.
            requests.RequestException: What else the network does.
            OSError: It cannot be written.
        """
        from pooch import HTTPDownloader

        known = self.file.size_bytes if self.file.checked else None
        if known is not None and self.part.size_bytes > known:
            self.part.drop()
        if known is None or self.part.size_bytes < known:
            sink = Sink(self, url, known)
            headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **sink.conditions()}
            with contextlib.closing(sink):
                HTTPDownloader(
                    chunk_size=_CHUNK,
                    headers=headers,
                    timeout=(self.connect_s, self.read_s),
                    hooks={"response": sink.judge},
                )(url, sink, pooch)
            sink.check_end()
        self.part.path.replace(output_file)
        self.part.note.unlink(missing_ok=True)


class Sink:
    """Where the bytes of one answer go: a file to write to, after the answer was judged by its headers.

    Args:
        downloader: Whose answer.
        url: What was asked.
        known_bytes: How long the file is, where that is sure.
    """

    def __init__(self, downloader: ResumingDownloader, url: str, known_bytes: int | None) -> None:
        self._downloader, self._url, self._part, self._known = downloader, url, downloader.part, known_bytes
        self._from = 0
        self._total: int | None = known_bytes
        self._done = 0
        self._stream: IO[bytes] | None = None

    def conditions(self) -> dict[str, str]:
        """The headers that ask for the rest of what is there, where it can be known to belong to it."""
        held = self._part.size_bytes
        version = self._part.validator(self._url)
        sure = bool(self._downloader.file.sha256) and self._downloader.file.checked
        self._part.resumed = bool(held and (version or sure))
        if not self._part.resumed:
            self._part.drop()
            return {}
        self._from = held
        return {"Range": f"bytes={held}-", **({"If-Range": version} if version else {})}

    def judge(self, response: Any, **_: Any) -> None:
        """Looks at the headers of an answer before any of it is read.

        Raises:
            RefusedError: It is not the file.
            BrokenOffError: It is not the part that was asked for.
            DataError: There is no room for it.
        """
        try:
            if response.is_redirect:
                self._judge_redirect(response)
            elif response.status_code < 400:  # else pooch has requests raise it
                self._judge_answer(response)
        except BaseException:
            response.close()
            raise
        if response.status_code == 416:  # the file is shorter than what is there: it is another one
            response.close()
            self._part.drop()
            raise BrokenOffError("the file has changed since the transfer began")

    def _judge_redirect(self, response: Any) -> None:
        there = urljoin(response.url, response.headers["location"])
        now, then = urlsplit(response.url).scheme.lower(), urlsplit(there).scheme.lower()
        if then not in ("http", "https") or (now == "https" and then == "http"):
            raise RefusedError(f"it sends us from {now} to {then or 'nowhere'}")

    def _judge_answer(self, response: Any) -> None:
        status, headers = response.status_code, response.headers
        if status not in (200, 206) or (status == 206 and not self._from):
            raise RefusedError(f"it answers with {status}")
        page = headers.get("content-type", "").split(";")[0].strip().lower() in ("text/html", "application/xhtml+xml")
        if page and not self._downloader.file.name.endswith((".html", ".htm")):
            raise RefusedError("it answers with a web page, not with the file")
        length = _length(headers)
        if status == 206:
            self._part_follows(headers)
        elif self._from:
            self._from, self._part.resumed = 0, False
            self._part.drop()
        announced = None if length is None else self._from + length
        if announced is not None and self._known is not None and announced != self._known:
            raise RefusedError(f"it offers {announced} bytes where the file has {self._known}")
        self._total = announced if announced is not None else self._known
        check_room(self._part.path.parent, max((self._total or 0) - self._from, 0), self._downloader.file.name)
        if not self._from:
            self._part.remember(self._url, _version(headers))
        self._done = self._from
        self._stream = self._part.path.open("ab")

    def _part_follows(self, headers: Any) -> None:
        found = _RANGE.fullmatch(headers.get("content-range", ""))
        if found is None or int(found[1]) != self._from:
            self._part.drop()
            raise BrokenOffError("it sends another part of the file than was asked for")

    def write(self, chunk: bytes) -> int:
        """Appends what has come.

        Raises:
            RefusedError: It is a web page, or longer than the file can be.
            OSError: It cannot be written.
        """
        assert self._stream is not None  # noqa: S101 - judged before it is read
        if not self._done and chunk[:512].lstrip().lower().startswith(_HTML) and not self._downloader.file.name.endswith((".html", ".xml")):
            raise RefusedError("it answers with a web page, not with the file")
        most = self._known if self._known is not None else _MOST_BYTES
        if self._done + len(chunk) > most:
            raise RefusedError(f"it sends more than {size_text(most)}")
        if self._done // _ASK_EVERY_BYTES != (self._done + len(chunk)) // _ASK_EVERY_BYTES:
            check_room(self._part.path.parent, 0, self._downloader.file.name)
        self._stream.write(chunk)
        self._done += len(chunk)
        self._downloader.advance(self._done, self._total)
        return len(chunk)

    def flush(self) -> None:
        """Nothing: what is in the buffer is written when it is full, and at the end."""

    def close(self) -> None:
        """Writes what is in the buffer."""
        if self._stream is not None:
            stream, self._stream = self._stream, None
            stream.close()

    def check_end(self) -> None:
        """Returns where everything has come that was announced.

        Raises:
            BrokenOffError: Something is lacking.
        """
        lacking = self._total is not None and self._done < self._total
        if lacking or not self._done:
            raise BrokenOffError(f"it ended after {self._done} of {self._total or 'unknown'} bytes")


def _length(headers: Any) -> int | None:
    """How long an answer's body says it is; None where it does not, or is packed on the way."""
    said = headers.get("content-length")
    if said is None or headers.get("content-encoding", "identity").strip().lower() != "identity":
        return None
    if not said.isdecimal():
        raise RefusedError("it announces a length that is no number")
    return int(said)


def _version(headers: Any) -> str:
    """What tells this version of a file from another: its tag, where it stands for every byte, else its date."""
    tag = headers.get("etag", "")
    version = tag if tag.startswith('"') else headers.get("last-modified", "")
    return str(version)[:1000]
