"""One file from its mirrors: each in its order, several times where that may help, checked before it counts."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faultbench.acquisition.publication import PublishedFile
from faultbench.acquisition.shown import Shown
from faultbench.acquisition.space import cannot_write
from faultbench.acquisition.transfer import PART, BrokenOffError, Part, RefusedError, ResumingDownloader
from faultbench.discovery import one_line
from faultbench.errors import DataError

_BUSY = (408, 425, 429, 500, 502, 503, 504)
"""Answers that may be others in a moment."""


@dataclass(frozen=True, slots=True)
class Manners:
    """How a server is treated.

    Args:
        attempts: How often one address is asked for one file.
        pause_s: Between two files.
        backoff_s: Before the second attempt; it doubles with each.
        longest_wait_s: The longest that a server's own `Retry-After` is waited for.
        connect_s: How long a server may take to answer at all.
        read_s: How long it may then be silent.
        patience: After so many files in a row that no server answered for, the rest is not asked for.
    """

    attempts: int = 4
    pause_s: float = 1.0
    backoff_s: float = 2.0
    longest_wait_s: float = 60.0
    connect_s: float = 15.0
    read_s: float = 30.0
    patience: int = 2


class UnobtainableError(DataError):
    """No mirror gave the file.

    Args:
        path: Of the file.
        reason: What each said.
        answered: Whether any server answered at all.
    """

    def __init__(self, path: str, reason: str, answered: bool) -> None:
        super().__init__(f"{path} could not be got ({reason})")
        self.reason, self.answered = reason, answered


def download(file: PublishedFile, place: Path, check: Callable[[Path], None], manners: Manners, shown: Shown) -> str:
    """The address that a file was got from; it is at its place, and checked.

    Args:
        file: What is got.
        place: Where to, under its own name; what has come so far lies beside it, under `.part`.
        check: Raises `DataError` where a file is not what it should be.
        manners: How servers are treated.
        shown: Is told how it goes.

    Raises:
        UnobtainableError: No mirror gave it.
        DataError: It cannot be written, or there is no room.
    """
    said: list[str] = []
    answered = False
    for url in file.urls:
        try:
            _from_one(file, url, place, check, manners, shown)
        except _GivenUpError as error:
            said.append(f"{url}: {error}")
            answered = answered or error.answered
            if url != file.urls[-1]:
                shown.note(f"{file.path}: {url}: {error}; the next mirror is asked")
        else:
            return url
    raise UnobtainableError(file.path, "; ".join(said), answered)


class _GivenUpError(Exception):
    def __init__(self, reason: str, answered: bool) -> None:
        super().__init__(reason)
        self.answered = answered


def _from_one(file: PublishedFile, url: str, place: Path, check: Callable[[Path], None], manners: Manners, shown: Shown) -> None:
    part = Part(place.with_name(f"{place.name}{PART}"))
    attempt = 1
    while True:
        try:
            _attempt(file, url, place, part, manners, shown)
            _checked(place, check)
        except RefusedError as error:
            if part.resumed:  # the fault may be in what an earlier transfer left
                part.drop()
                part.resumed = False
                continue
            part.drop()
            raise _GivenUpError(str(error), answered=True) from error
        except _AgainError as error:
            if attempt >= manners.attempts:
                raise _GivenUpError(f"{error}, {attempt} times" if attempt > 1 else str(error), error.answered) from error
            wait = max(manners.backoff_s * 2 ** (attempt - 1), min(error.wait_s, manners.longest_wait_s))
            shown.note(f"{file.path}: {error}; attempt {attempt + 1} of {manners.attempts} in {wait:.0f} s")
            time.sleep(wait)
            attempt += 1
        else:
            return


class _AgainError(Exception):
    """What another attempt may mend; `wait_s` is what the server asks for."""

    def __init__(self, reason: str, answered: bool, wait_s: float = 0.0) -> None:
        super().__init__(reason)
        self.answered, self.wait_s = answered, wait_s


def _attempt(file: PublishedFile, url: str, place: Path, part: Part, manners: Manners, shown: Shown) -> None:
    """Asks once. Whatever goes wrong is a refusal, worth another attempt, or an error of this machine."""
    import pooch
    import requests

    pooch.get_logger().setLevel("ERROR")  # it reports every file on stderr
    downloader = ResumingDownloader(file, part, manners.connect_s, manners.read_s, shown.advance)
    known = file.sha256 if file.sha256 and file.checked else None
    try:
        pooch.retrieve(url, known_hash=known, fname=place.name, path=place.parent, downloader=downloader)
    except requests.exceptions.HTTPError as error:
        _answered_with(error)
    except BrokenOffError as error:
        raise _AgainError(str(error), answered=True) from error
    except (requests.exceptions.SSLError, requests.exceptions.TooManyRedirects) as error:
        raise RefusedError(_innermost(error)) from error
    except requests.exceptions.ConnectionError as error:
        raise _AgainError(_network(error, manners), answered=part.size_bytes > 0) from error
    except requests.exceptions.Timeout as error:
        raise _AgainError(_network(error, manners), answered=True) from error
    except (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError) as error:
        raise _AgainError("the connection broke off", answered=True) from error
    except requests.exceptions.RequestException as error:  # an address that is none, a redirect to one
        raise RefusedError(_innermost(error)) from error
    except ValueError as error:  # pooch's, where the digest is another one
        raise RefusedError("it gives another file: its SHA-256 is not the known one") from error
    except OSError as error:
        raise cannot_write(place.parent, error) from error


def _answered_with(error: Any) -> None:
    status = error.response.status_code
    said = f"it answers with {status} {one_line(error.response.reason or '', most=60)}".rstrip()
    if status not in _BUSY:
        raise RefusedError(said) from error
    wanted = error.response.headers.get("retry-after", "")
    raise _AgainError(said, answered=True, wait_s=float(wanted) if wanted.isdecimal() and len(wanted) < 9 else 0.0) from error


def _network(error: Exception, manners: Manners) -> str:
    import requests

    said = _innermost(error)
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return f"no answer within {manners.connect_s:g} s"
    if isinstance(error, requests.exceptions.Timeout) or "timed out" in said.lower():
        return f"silent for {manners.read_s:g} s"
    return f"the connection failed ({said})"


def _innermost(error: BaseException) -> str:
    """What the lowest layer said: requests and urllib3 wrap it in the names of their own objects."""
    while True:
        inner = getattr(error, "reason", None) or next((a for a in error.args if isinstance(a, BaseException)), None)
        if not isinstance(inner, BaseException) or inner is error:
            break
        error = inner
    strerror = getattr(error, "strerror", None)
    return one_line(re.sub(r"\[Errno -?\d+\] ", "", strerror or str(error).rpartition(": ")[2]), most=120)


def _checked(place: Path, check: Callable[[Path], None]) -> None:
    try:
        check(place)
    except DataError as error:
        place.unlink(missing_ok=True)
        raise RefusedError(f"it gives something else: {error}") from error
