"""What an author is told who returns nothing, or ends Python, in any kind of plugin: which method it was, and what to do."""

from __future__ import annotations

import pytest
from planting import answers, offer

NOTHING = [
    ("scenario", "split returns NoneType: return a Split"),
    ("dataset", "catalogue returns NoneType: return a Catalogue"),
    ("frontend", ") returns NoneType: return a torch.nn.Module"),
    ("backbone", ", 8) returns NoneType: return a torch.nn.Module"),
    ("target", "probe returns NoneType: return a Device"),
    ("compressor", "compress returns a tuple of NoneType, dict: return the net and a mapping of what was achieved"),
    ("learner", "build returns NoneType: return a Net"),
]
EXITS = [
    ("scenario", "Good.split leaves Python (SystemExit: 1): raise an error that says what is wrong"),
    ("dataset", "Exits.catalogue leaves Python (SystemExit: no data): raise an error"),
    ("frontend", "ExitingModule.forward leaves Python (SystemExit: 1): raise an error"),
    ("target", "probe() ends in SystemExit: 1: raise CellError where the device cannot be reached"),
    ("compressor", "Good.compress leaves Python (SystemExit: 1): raise an error"),
    ("learner", "Exits.build leaves Python (SystemExit: 1): raise an error"),
]


def broken(kind: str, plugin: str) -> list[str]:
    """What is said of every broken promise."""
    return [said for said in answers(kind, offer(f"broken_{kind}s", plugin)).values() if said.startswith("broken: ")]


@pytest.mark.parametrize(("kind", "said"), NOTHING, ids=[kind for kind, _ in NOTHING])
def test_a_method_that_returns_nothing_is_named_with_what_it_should_return(kind, said):
    found = broken(kind, "ReturnsNothing")
    assert any(said in one for one in found), found
    assert not [one for one in found if "AttributeError" in one or "TypeError" in one]


@pytest.mark.parametrize(("kind", "said"), EXITS, ids=[kind for kind, _ in EXITS])
def test_a_method_that_ends_python_is_named_and_ends_no_suite(kind, said):
    found = broken(kind, "Exits")
    assert any(said in one for one in found), found
    assert all(one.isprintable() for one in found)
