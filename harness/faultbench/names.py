"""The grammar of names, one parser for the command line, for TOML and for Python.

`[distribution/]name[NUMBER][:key=value[,key=value...]]`, compressors chained by `+`. A value may hold `:` and `=`, so that a
part can name another with its parameter (`maml:frontend=welch:segment=256`); it cannot hold a comma. A number behind a name
sets the one positional parameter: `prune40` is `prune` with `percent=40`. Which digits belong to the name only the offers
can tell (`x86`, `int8`), so a parsed name keeps its head whole until it is matched with them. A name that ends in `.toml` is
that of a file, which holds a scenario.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from faultbench.errors import UsageError
from faultbench.offers import Offer, Param, Value

NAME = re.compile(r"[a-z][a-z0-9_-]*", re.ASCII)
"""What an offer may be called."""

_DISTRIBUTION = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?", re.ASCII)
_HEAD = re.compile(r"[a-z][a-z0-9_-]*(?:(?<=[0-9])\.[0-9]+)?", re.ASCII)
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*", re.ASCII)
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?", re.ASCII)
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_CONTINUES = re.compile(r"\s*[A-Za-z_][A-Za-z0-9_-]*\s*=", re.ASCII)
_CHAIN = re.compile(r"\+(?![0-9])")
_TRUE = ("true", "yes", "on", "1")
_FALSE = ("false", "no", "off", "0")
_LISTED = 12  # names that an error repeats
_SHOWN = 60  # characters of a foreign text that an error repeats


@dataclass(frozen=True, slots=True)
class Name:
    """A name as it was written.

    Args:
        distribution: Where it is looked for, or empty.
        head: The name, perhaps with a number behind it.
        params: Keys and values, sorted by key.
    """

    distribution: str
    head: str
    params: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        """The spelling with sorted keys; `parse` gives the same name back."""
        head = f"{self.distribution}/{self.head}" if self.distribution else self.head
        return spelled(head, dict(self.params))


def parse(text: str) -> Name:
    """The name that a text spells.

    Raises:
        UsageError: It spells none; the message says where.
    """
    if not text.strip():
        raise UsageError("a name is empty: write one, as in `maml` or `prune40`")
    if not text.isprintable():
        raise UsageError(f"{shown(text)} holds a character that cannot be printed: write the name without it")
    head, colon, rest = (part.strip() for part in text.partition(":"))
    distribution, slash, bare = head.rpartition("/")
    if not _HEAD.fullmatch(bare) or (slash and not _DISTRIBUTION.fullmatch(distribution)):
        raise UsageError(f"{shown(text)} is not a name: write name[NUMBER][:key=value,...], lower case, as in `maml:inner_steps=3`")
    return Name(distribution, bare, _parse_params(text, rest) if colon else ())


def _parse_params(text: str, rest: str) -> tuple[tuple[str, str], ...]:
    params: dict[str, str] = {}
    for pair in rest.split(","):
        key, equals, value = (part.strip() for part in pair.partition("="))
        if not equals or not _KEY.fullmatch(key):
            raise UsageError(f"{shown(text)} has {shown(pair)} where a parameter belongs: write key=value behind the colon")
        if key in params:
            raise UsageError(f"{shown(text)} gives {key} twice: give it once")
        params[key] = value
    return tuple(sorted(params.items()))


def is_file(text: str) -> bool:
    """Whether a text is the name of a TOML file (`splits/mine.toml`), which stands for the scenario in it."""
    return text.strip().endswith(".toml") and ":" not in text and "," not in text and text.isprintable()


def split_list(text: str) -> tuple[str, ...]:
    """The names in a list separated by commas; a piece that reads `key=value` belongs to the name before it.

    Raises:
        UsageError: A parameter follows a name that has no colon, or nothing.
    """
    names: list[str] = []
    for piece in text.split(","):
        if not _CONTINUES.match(piece):
            names.append(piece.strip())
        elif names and ":" in names[-1]:
            names[-1] += f",{piece.strip()}"
        else:
            meant = f"{names[-1] if names else 'name'}:{piece.strip()}"
            advice = meant if meant.isascii() and meant.isprintable() else shown(meant)
            raise UsageError(f"{shown(text)} has the parameter {shown(piece)} without a colon: write {advice}")
    if not all(names):
        raise UsageError(f"{shown(text)} has a comma with no name beside it: take the comma away")
    return tuple(names)


def split_chain(text: str) -> tuple[str, ...]:
    """The links of a chain (`distill50+prune40+int8`). A `+` before a digit belongs to a value (`1e+3`): no name begins with one.

    Raises:
        UsageError: A link is empty.
    """
    links = tuple(link.strip() for link in _CHAIN.split(text))
    if not all(links):
        raise UsageError(f"{shown(text)} is not a chain: write names with a + between them, as in `prune40+int8`")
    return links


def match(head: str, names: Collection[str]) -> tuple[str, str] | None:
    """The name among `names` that a head stands for, and the number behind it or an empty string; None where there is none.

    An exact name wins over a name with a number, a longer name over a shorter.
    """
    if head in names:
        return head, ""
    fitting = [name for name in names if head.startswith(name) and _NUMBER.fullmatch(head[len(name) :])]
    if not fitting:
        return None
    name = max(fitting, key=len)
    return name, head[len(name) :]


def expand(offer: Offer, number: str, given: Mapping[str, str]) -> dict[str, Value]:
    """Every parameter of an offer, typed and checked, in the offer's order.

    Args:
        offer: What is chosen.
        number: The number behind the name, or an empty string.
        given: Parameters as they were written.

    Raises:
        UsageError: A parameter does not exist, does not fit, is missing or is given twice.
    """
    texts = dict(given)
    if number:
        if offer.positional is None:
            raise UsageError(f"{offer.name} takes no number: write {offer.name} instead of {offer.name}{number}")
        if offer.positional in texts:
            raise UsageError(
                f"{offer.name}{number} and {offer.positional}={texts[offer.positional]} say {offer.positional} twice: give one of them"
            )
        texts[offer.positional] = number
    for key in texts:
        if key not in offer.params:
            raise UsageError(_no_such_parameter(offer, key))
    values: dict[str, Value] = {}
    for key, param in offer.params.items():
        if key in texts:
            values[key] = convert(param, texts[key], f"{offer.name}: {key}")
        elif param.default is None:
            example = f"{offer.name}NUMBER" if key == offer.positional else f"{offer.name}:{key}=VALUE"
            raise UsageError(f"{offer.name} needs {key} ({describe(param)}): write {example}")
        else:
            values[key] = float(param.default) if param.type is float else param.default
    return values


def convert(param: Param, text: str, what: str) -> Value:
    """A parameter's value from its text.

    Args:
        param: What it must fit.
        text: As it was written.
        what: What to call it in an error.

    Raises:
        UsageError: It does not fit.
    """
    value = _typed(param.type, text)
    if value is None:
        raise UsageError(f"{what} cannot be {shown(text)}: give {describe(param)}")
    if param.choices and value not in param.choices:
        raise UsageError(f"{what} cannot be {shown(text)}: give {describe(param)}")
    if isinstance(value, int | float) and not fits_range(param, value):
        raise UsageError(f"{what} cannot be {shown(text)}: give {describe(param)}")
    return value


def fits_range(param: Param, value: float) -> bool:
    """Whether a number lies between the parameter's bounds."""
    return (param.ge is None or value >= param.ge) and (param.le is None or value <= param.le)


def _typed(kind: type, text: str) -> Value | None:
    if kind is bool:
        return True if text.lower() in _TRUE else False if text.lower() in _FALSE else None
    if kind is int:
        return int(text) if _INTEGER.fullmatch(text) else None
    if kind is float:
        try:
            number = float(text)
        except ValueError:
            return None
        return number if math.isfinite(number) else None
    return text


def describe(param: Param) -> str:
    """What a parameter can hold, in a few words: `a whole number >= 1`."""
    if param.choices:
        return "one of " + ", ".join(value_text(choice) for choice in param.choices)
    noun = {int: "a whole number", float: "a number", bool: "true or false"}.get(param.type, "a text")
    if param.ge is not None and param.le is not None:
        return f"{noun} from {value_text(param.ge)} to {value_text(param.le)}"
    if param.ge is not None:
        return f"{noun} >= {value_text(param.ge)}"
    return noun if param.le is None else f"{noun} <= {value_text(param.le)}"


def canonical(name: str, offer: Offer, values: Mapping[str, Value], names: Collection[str]) -> str:
    """The spelling that stands for a choice everywhere: keys sorted, defaults left out.

    The number is shown even where it is the default: `prune40` says what it is, and goes on saying it when defaults change.

    Args:
        name: The offer's name, qualified where that is needed.
        offer: What is chosen.
        values: Its expanded parameters.
        names: All names beside it; the number is written as `key=value` where name and number would read as another.
    """
    said = {key: value_text(value) for key, value in values.items() if value != offer.params[key].default}
    if offer.positional is not None:
        number = value_text(values[offer.positional])
        if _NUMBER.fullmatch(number) and match(offer.name + number, names) == (offer.name, number):
            said.pop(offer.positional, None)
            name += number
    return spelled(name, said)


def spelled(head: str, params: Mapping[str, str]) -> str:
    """A head and parameters as one text, keys sorted."""
    pairs = ",".join(f"{key}={value}" for key, value in sorted(params.items()))
    return f"{head}:{pairs}" if pairs else head


def value_text(value: Value) -> str:
    """A value as it is written in a name; reading it gives the same value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def spellable(value: Value) -> bool:
    """Whether a value can be written in a name."""
    text = value_text(value)
    return text.isprintable() and "," not in text and text == text.strip()


def bare_name(name: str) -> str:
    """A part's name without its distribution and its parameters: `cwru` of `cwru:rate=48`."""
    return name.partition(":")[0].rpartition("/")[2]


def nearest(word: str, words: Iterable[str], count: int = 3) -> list[str]:
    """The words most like a word, best first."""
    from difflib import get_close_matches  # only where something is wrong

    return get_close_matches(word[:_SHOWN].lower(), sorted(words), n=count, cutoff=0.0)


def instead(
    word: str, words: Iterable[str], more: str = "", *, listing: str = "", count: int = 1, spell: Callable[[str], str] = str
) -> str:
    """What to do about a word that is none of `words`: `did you mean maml?` where one is like it, else `there are cnn, maml`.

    Args:
        word: As it was written; capitals do not matter.
        words: What there is.
        more: A sentence behind it.
        listing: What there is in words of its own, said in either case: `it takes percent, tune`.
        count: How many of the likely ones are said at most.
        spell: How each is written.
    """
    from difflib import get_close_matches  # only where something is wrong

    there = list(words)
    by_small = {one.lower(): one for one in reversed(there)}
    near = [spell(by_small[one]) for one in get_close_matches(word[:_SHOWN].lower(), by_small, n=count)]
    if near:
        said = [f"did you mean {either(near)}?", listing[:1].upper() + listing[1:], more]
    else:
        beyond = f" and {len(there) - _LISTED} more" if len(there) > _LISTED else ""
        listing = listing or f"there {'are' if len(there) > 1 else 'is'} {', '.join(map(spell, there[:_LISTED])) or 'none'}{beyond}"
        said = [f"{listing}.", more] if more else [listing]
    return " ".join(filter(None, said))


def either(words: Sequence[str]) -> str:
    """Words as a choice: `a, b or c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def shown(text: str) -> str:
    """A text from outside, quoted, cut and harmless to a terminal."""
    return ascii(text if len(text) <= _SHOWN else text[:_SHOWN] + "...")


def _no_such_parameter(offer: Offer, key: str) -> str:
    if not offer.params:
        return f"{offer.name} has no parameter {shown(key)}: it takes none"
    likely = instead(key, offer.params, listing=f"it takes {', '.join(offer.params)}")
    return f"{offer.name} has no parameter {shown(key)}: {likely}"
