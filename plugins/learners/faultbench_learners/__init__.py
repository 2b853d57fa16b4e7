"""The learners that come with faultbench, with their front ends and backbones."""

from collections.abc import Iterable

from faultbench.api import Offer, Param, hookimpl

NET = {
    "frontend": Param(str, "welch", "front end, with its parameters: welch:segment=128"),
    "backbone": Param(str, "conv4", "backbone, with its parameters"),
    "width": Param(int, 32, "filters per layer, a multiple of 4", ge=4),
}

SLOW_UNIT = Param(float, 10.0, "how much of a slow channel's unit (a temperature's degrees) weighs as one neper", ge=1e-6)


@hookimpl
def faultbench_learners() -> Iterable[Offer]:
    """The learners of this package."""
    yield Offer(
        name="maml",
        factory="faultbench_learners.maml:Maml",
        summary="model-agnostic meta-learning, second order, the head begun from the support's prototypes",
        params={
            "inner_steps": Param(int, 5, "gradient steps when adapting", ge=1),
            "inner_lr": Param(float, 0.1, "step size of adapting, before it is meta-learned per tensor", ge=0),
            "meta_steps": Param(int, 200, "optimiser steps of the meta-training", ge=1),
            "meta_batch": Param(int, 4, "tasks per optimiser step", ge=1),
            "meta_lr": Param(float, 0.001, "highest learning rate of the meta-training", ge=0),
            "augment": Param(bool, True, "whether source tasks are heard through random equalisers and in noise"),
            **NET,
        },
        cite="Finn, Abbeel & Levine 2017, arXiv 1703.03400; head after Triantafillou et al. 2020, arXiv 1903.03096",
    )
    yield Offer(
        name="cnn",
        factory="faultbench_learners.cnn:Cnn",
        summary="the traditional CNN: trained from scratch on the support, no source data",
        params={
            "steps": Param(int, 20, "full-batch Adam steps on the support", ge=1),
            "lr": Param(float, 0.003, "learning rate of Adam", ge=0),
            **NET,
        },
        cite="Kingma & Ba 2015, arXiv 1412.6980 (Adam)",
    )
    yield Offer(
        name="centroid",
        factory="faultbench_learners.centroid:Centroid",
        summary="nearest class mean of the front end's features: untrained",
        params={"frontend": NET["frontend"]},
    )


@hookimpl
def faultbench_frontends() -> Iterable[Offer]:
    """The front ends of this package."""
    yield Offer(
        name="welch",
        factory="faultbench_learners.frontends.welch:Welch",
        summary="log power spectrum by Welch's method, of every channel; of a slow one its level",
        params={
            "segment": Param(int, 256, "samples per Hann segment", ge=16),
            "overlap": Param(int, 2, "segments that cover one sample", ge=1, le=8),
            "slow_unit": SLOW_UNIT,
        },
        positional="segment",
        cite="Welch 1967, IEEE Trans. Audio Electroacoust. 15(2)",
    )
    yield Offer(
        name="spectrum",
        factory="faultbench_learners.frontends.spectrum:Spectrum",
        summary="log power spectrum of the whole window, of every channel; of a slow one its level",
        params={"bins": Param(int, 256, "bands from 0 to half the rate", ge=1), "slow_unit": SLOW_UNIT},
        positional="bins",
    )
    yield Offer(
        name="fault-lines",
        factory="faultbench_learners.frontends.fault_lines:FaultLines",
        summary="heights of the lines at BPFI, ball pass and BPFO in the envelope spectrum; takes speed and geometry",
        params={
            "harmonics": Param(int, 6, "harmonics of each", ge=1, le=64),
            "tolerance": Param(float, 0.0075, "how far a line may be from where it should stand, relative", ge=0, le=0.1),
        },
        positional="harmonics",
        cite="Randall & Antoni 2011, Mech. Syst. Signal Process. 25(2), doi 10.1016/j.ymssp.2010.07.017",
    )


@hookimpl
def faultbench_backbones() -> Iterable[Offer]:
    """The backbones of this package."""
    yield Offer(
        name="conv4",
        factory="faultbench_learners.backbones.conv4:Conv4",
        summary="four blocks of convolution, ReLU and pooling; weights standardised, no norm left when deployed",
        params={"skip": Param(bool, True, "whether the features themselves stand beside the embedding")},
        cite="Vinyals et al. 2016, arXiv 1606.04080",
    )
