from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultbench import names
from faultbench.api import Offer, Param, UsageError

PRUNE = Offer("prune", "p:Prune", "", {"percent": Param(float, 40.0, "", ge=0, le=95), "tasks": Param(int, 32, "", ge=1)}, "percent")
INT8 = Offer("int8", "p:Int8", "")
INT = Offer("int", "p:Int", "", {"bits": Param(int, None, "", ge=2)}, "bits")
MAML = Offer(
    "maml",
    "p:Maml",
    "",
    {
        "inner_steps": Param(int, 5, "", ge=1),
        "inner_lr": Param(float, 0.1, ""),
        "frontend": Param(str, "welch", ""),
        "augment": Param(bool, True, ""),
        "norm": Param(str, "weight", "", choices=("weight", "batch")),
    },
)


def expand(offer: Offer, text: str) -> dict[str, object]:
    name = names.parse(text)
    matched = names.match(name.head, {offer.name})
    assert matched
    return dict(names.expand(offer, matched[1], dict(name.params)))


def test_a_name_may_have_a_number_and_parameters():
    assert names.parse("prune40:tasks=8") == names.Name("", "prune40", (("tasks", "8"),))


def test_a_name_may_be_qualified_by_its_distribution():
    assert names.parse("Acme.Faults/maml") == names.Name("Acme.Faults", "maml")


def test_a_value_may_hold_colons_equals_signs_and_slashes():
    assert names.parse("maml:frontend=welch:segment=256").params == (("frontend", "welch:segment=256"),)
    assert names.parse("maml:frontend=acme/welch").params == (("frontend", "acme/welch"),)
    assert names.parse("arm64:host=pi@gateway").params == (("host", "pi@gateway"),)


@pytest.mark.parametrize(
    "text",
    ["", " ", "MAML", "40", "maml:", "maml:steps", "maml:=3", "maml:a=1,", "maml:a=1,a=2", "a b", "maml\x1b[31m", "/maml", "a/b/c", "-x"],
)
def test_what_is_no_name_is_refused_in_one_line(text):
    with pytest.raises(UsageError) as caught:
        names.parse(text)
    assert ": " in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_list_is_separated_by_commas_outside_of_parameters():
    assert names.split_list("maml,cnn") == ("maml", "cnn")
    assert names.split_list("maml:inner_steps=3,inner_lr=0.1") == ("maml:inner_steps=3,inner_lr=0.1",)
    assert names.split_list("maml:inner_steps=3,cnn:steps=7,lr=2,centroid") == ("maml:inner_steps=3", "cnn:steps=7,lr=2", "centroid")


def test_a_parameter_without_a_colon_is_told_where_it_goes():
    with pytest.raises(UsageError, match="write maml:inner_steps=3"):
        names.split_list("maml,inner_steps=3")


@pytest.mark.parametrize("text", ["", ",", "maml,", ",maml", "maml,,cnn"])
def test_a_list_with_a_hole_is_refused(text):
    with pytest.raises(UsageError):
        names.split_list(text)


def test_a_chain_is_joined_by_plus():
    assert names.split_chain("distill50+prune40+int8") == ("distill50", "prune40", "int8")


def test_a_plus_before_a_digit_belongs_to_a_number():
    assert names.split_chain("prune:percent=1e+1+int8") == ("prune:percent=1e+1", "int8")


@pytest.mark.parametrize("text", ["", "+", "prune40+", "+int8", "prune40++int8"])
def test_a_chain_with_a_hole_is_refused(text):
    with pytest.raises(UsageError):
        names.split_chain(text)


def test_an_exact_name_wins_over_a_name_with_a_number():
    assert names.match("int8", {"int", "int8"}) == ("int8", "")
    assert names.match("int4", {"int", "int8"}) == ("int", "4")
    assert names.match("prune12.5", {"prune"}) == ("prune", "12.5")


def test_the_longer_name_wins_where_two_leave_a_number():
    assert names.match("conv48", {"conv", "conv4"}) == ("conv4", "8")


def test_no_name_fits_is_none():
    assert names.match("maml", {"mam", "maml2"}) is None


def test_a_number_sets_the_positional_parameter():
    assert expand(PRUNE, "prune40") == expand(PRUNE, "prune:percent=40") == {"percent": 40.0, "tasks": 32}


def test_defaults_are_expanded_in_the_offers_order_and_typed():
    expanded = expand(MAML, "maml:augment=no,inner_lr=1")
    assert expanded == {"inner_steps": 5, "inner_lr": 1.0, "frontend": "welch", "augment": False, "norm": "weight"}
    assert list(expanded) == list(MAML.params)
    assert isinstance(expanded["inner_lr"], float)


@pytest.mark.parametrize(
    ("offer", "text", "message"),
    [
        (PRUNE, "prune40:percent=30", "say percent twice"),
        (PRUNE, "prune99", "a number from 0 to 95"),
        (PRUNE, "prune:percent=nan", "a number from 0 to 95"),
        (PRUNE, "prune:tasks=0", "a whole number >= 1"),
        (PRUNE, "prune:tasks=1_0", "a whole number >= 1"),
        (PRUNE, "prune:tasks=²", "a whole number >= 1"),
        (INT, "int", "needs bits .*write intNUMBER"),
        (INT, "int2.5", "a whole number >= 2"),
        (MAML, "maml3", "takes no number"),
        (MAML, "maml:colour=3", "has no parameter 'colour': it takes inner_steps, inner_lr"),
        (MAML, "maml:inner_step=3", "did you mean inner_steps[?] It takes inner_steps, inner_lr, frontend, augment, norm"),
        (MAML, "maml:augment=perhaps", "true or false"),
        (MAML, "maml:norm=layer", "one of weight, batch"),
        (INT8, "int8:bits=8", "it takes none"),
    ],
)
def test_a_parameter_that_does_not_fit_says_what_would(offer, text, message):
    with pytest.raises(UsageError, match=message):
        expand(offer, text)


def canonical(offer: Offer, text: str, beside: set[str] | None = None) -> str:
    return names.canonical(offer.name, offer, expand(offer, text), {offer.name, *(beside or ())})


def test_the_canonical_spelling_sorts_keys_and_leaves_defaults_out():
    assert canonical(MAML, "maml:inner_steps=3,inner_lr=.5,augment=yes") == "maml:inner_lr=0.5,inner_steps=3"
    assert canonical(MAML, "maml:inner_steps=5") == "maml"


def test_the_canonical_spelling_shows_the_number():
    assert canonical(PRUNE, "prune") == canonical(PRUNE, "prune:percent=40.0") == canonical(PRUNE, "prune40") == "prune40"
    assert canonical(PRUNE, "prune:percent=12.50,tasks=8") == "prune12.5:tasks=8"
    assert canonical(PRUNE, "prune:percent=1e-7") == "prune:percent=1e-07"


def test_a_number_that_would_read_as_another_name_is_spelled_out():
    assert canonical(INT, "int:bits=8", {"int8"}) == "int:bits=8"
    assert canonical(INT, "int:bits=4", {"int8"}) == "int4"


TEXTS = st.text() | st.text(alphabet="ab1.8:=,+-_/ e\x1b", max_size=30)
KEYS = st.from_regex(r"[a-z_][a-z0-9_]{0,5}", fullmatch=True)
VALUES = st.text(alphabet=st.characters(exclude_characters=",", exclude_categories=("C", "Z")), max_size=8)


@given(TEXTS)
def test_any_text_is_a_name_or_a_usage_error(text):
    for read in (names.parse, names.split_list, names.split_chain):
        try:
            read(text)
        except UsageError as error:
            assert str(error).isprintable()  # noqa: PT017


@given(TEXTS)
def test_a_name_that_parses_comes_back_from_its_spelling(text):
    try:
        name = names.parse(text)
    except UsageError:
        return
    assert names.parse(str(name)) == name


@given(st.dictionaries(KEYS, VALUES, max_size=4), st.sampled_from(["maml", "prune40", "x12.5", "acme/int8"]))
def test_parameters_survive_spelling_and_parsing(params, head):
    assert dict(names.parse(names.spelled(head, params)).params) == params


@given(TEXTS, st.sampled_from([PRUNE, INT, MAML]))
def test_any_parameter_is_a_value_or_a_usage_error(text, offer):
    for key in offer.params:
        try:
            names.expand(offer, "", {key: text})
        except UsageError as error:
            assert str(error).isprintable()  # noqa: PT017


@given(
    st.fixed_dictionaries(
        {
            "percent": st.floats(0, 95) | st.integers(0, 95).map(float),
            "tasks": st.integers(1, 10**9),
        }
    )
)
def test_an_expanded_choice_comes_back_from_its_canonical_spelling(values):
    assert expand(PRUNE, names.canonical("prune", PRUNE, values, {"prune"})) == values


@given(
    st.fixed_dictionaries(
        {
            "inner_steps": st.integers(1, 10**9),
            "inner_lr": st.floats(allow_nan=False, allow_infinity=False),
            "frontend": VALUES,
            "augment": st.booleans(),
            "norm": st.sampled_from(["weight", "batch"]),
        }
    )
)
def test_every_type_of_value_comes_back_from_its_canonical_spelling(values):
    assert expand(MAML, names.canonical("maml", MAML, values, {"maml"})) == values
