"""The public names and signatures are those that were agreed on."""

import copy
import importlib.util
from pathlib import Path

spec = importlib.util.spec_from_file_location("api_names", Path(__file__).with_name("api_names.py"))
assert spec
assert spec.loader
api_names = importlib.util.module_from_spec(spec)
spec.loader.exec_module(api_names)


def test_the_public_names_and_signatures_are_the_stored_ones():
    found = list(api_names.changes(api_names.stored(), api_names.public()))
    advice = "meant? Then run `python tests/api_names.py`, and see docs/howto/plugin.md for when to raise API_VERSION"
    assert not found, "\n".join([advice, *found])


def test_the_promises_in_the_documents_are_those_of_the_suites():
    text = api_names.DOCS.read_text("utf-8")
    assert text == api_names.documented(api_names.public()["promises"]), "run `python tests/api_names.py`"
    assert "- a row of zeros among the labels is padding\n" in text


def test_a_removed_name_a_changed_default_and_an_added_promise_are_seen():
    before = api_names.public()
    after = copy.deepcopy(before)
    del after["api"]["Tasks"]
    after["api"]["Budget"]["scale"] = "float = 0.5"
    after["promises"]["target"].append("it glows in the dark")
    assert list(api_names.changes(before, after)) == [
        "changed api.Budget.scale: float = 1.0 -> float = 0.5",
        "removed api.Tasks",
        "added promises.target: it glows in the dark",
    ]


def test_signatures_say_what_a_caller_has_to_know():
    public = api_names.public()
    assert public["api"]["Learner"]["adapt"].startswith("(self, net: Net, support: Tensor, labels: Tensor")
    assert public["api"]["UsageError"] == {"(bases)": "FaultbenchError", "exit_code": "= 2"}
    assert public["api"]["ELEMENTS"] == "(HEALTHY, 'inner', 'ball', 'outer', 'cage', 'combined')"
    assert public["hooks"]["faultbench_learners"] == "() -> Iterable[Offer]"
