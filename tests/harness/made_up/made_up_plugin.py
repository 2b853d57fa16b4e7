"""What the made-up distribution offers."""

from faultbench.api import Offer, Param, hookimpl

MOOD = "how it behaves"
WINDOW = {"target": Param(str, "", "the target"), "window": Param(int, 64, "samples", ge=16)}


@hookimpl
def faultbench_datasets():
    yield Offer("plant", "made_up_data:Plant", "a plant", {"mood": Param(str, "good", MOOD)})
    yield Offer("twin", "made_up_data:Twin", "a plant of the same build", {"mood": Param(str, "good", MOOD)})


@hookimpl
def faultbench_scenarios():
    for name in ("leaky", "counting", "broken", "choosy", "odd", "ragged", "astray", "pinned", "splitless"):
        yield Offer(name, f"made_up_scenarios:{name.title()}", f"a {name} scenario", WINDOW)
    blind = {"to": Param(str, "session", "what it does not see"), "like": Param(str, "new-device", "the scenario that it is")}
    yield Offer("blind", "made_up_scenarios:Blind", "a scenario that does not see a thing", {**blind, **WINDOW})
    yield Offer("generous", "made_up_scenarios:Generous", "a generous scenario", WINDOW)


@hookimpl
def faultbench_backbones():
    yield Offer("gone", "made_up_gone:Gone", "a backbone whose module is not there: nobody else may suffer")


@hookimpl
def faultbench_frontends():
    yield Offer("warmth", "made_up_parts:Warmth", "the mean of every channel, and nothing else")


@hookimpl
def faultbench_learners():
    yield Offer("toy", "made_up_parts:Toy", "a toy", {"mood": Param(str, "good", MOOD)})
    yield Offer("gone", "made_up_gone:Gone", "a learner whose module is not there")
    yield Offer("late", "made_up_late:Late", "a learner whose module lacks what it imports")
    yield Offer("narrow", "made_up_parts:Toy", "a learner whose factory lacks a parameter", {"width": Param(int, 4, "a width")})


@hookimpl
def faultbench_compressors():
    yield Offer("shrink", "made_up_parts:Shrink", "shrinks")
    yield Offer("never", "made_up_parts:Never", "declines")


@hookimpl
def faultbench_targets():
    yield Offer("away", "made_up_parts:Away", "a target that is off")
