"""A learner's net: front end, standardisation, body; and how it is kept on disk without pickles."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from faultbench.errors import DataError
from faultbench.learning.contracts import Physics

WEIGHTS = "net.safetensors"
SIZES = (("out_channels", 0), ("out_features", 0), ("num_features", 0), ("num_channels", 0), ("in_channels", 1), ("in_features", 1))
"""Which attributes of a standard layer say the size of which axis of its weight."""


class Net(nn.Module):
    """A front end without state, a standardisation of its features, and a body from features to an embedding.

    `initial`, `step` and `logits` of a `StepwiseLearner` get standardised features, not embeddings: `net.body(features)` is the
    embedding (n, d), by the body's own weights. With weights that are adapted it is
    `torch.func.functional_call(net.body, weights, (features,))`, and the weights belong to the state.

    Args:
        frontend: (n, channel, sample) to (n, *features); with an attribute `physics` that is true, it takes speeds and orders too.
        body: (n, *features) to (n, d).
        features_shape: The shape of one window's features.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, frontend: nn.Module, body: nn.Module, features_shape: tuple[int, ...]) -> None:
        super().__init__()
        self.frontend, self.body, self.features_shape = frontend, body, features_shape
        self.register_buffer("mean", torch.zeros(features_shape))
        self.register_buffer("scale", torch.ones(features_shape))
        self._learned = nn.ParameterDict()

    def learn(self, name: str, start: Tensor) -> None:
        """Gives the net a meta-parameter of the learner's own: a step size, say."""
        self._learned[name.replace(".", "/")] = nn.Parameter(start)

    def learned(self, name: str) -> Tensor:
        """The meta-parameter of that name."""
        tensor: Tensor = self._learned[name.replace(".", "/")]
        return tensor

    @property
    def physical(self) -> bool:
        """Whether the front end takes speeds and orders beside the windows."""
        return takes_physics(self.frontend)

    def raw_features(self, windows: Tensor, physics: Physics | None = None) -> Tensor:
        """Raw windows (n, channel, sample) to features (n, *features) as the front end makes them.

        Raises:
            ValueError: The front end takes speeds and orders, and there are none.
        """
        if self.physical and physics is None:
            raise ValueError("this front end takes speeds and orders: give them with the windows")
        known = (physics.speed_rpm, physics.orders) if self.physical and physics is not None else ()
        features: Tensor = self.frontend(windows, *known)
        return features

    def features(self, windows: Tensor, physics: Physics | None = None) -> Tensor:
        """Raw windows (n, channel, sample) to standardised features (n, *features)."""
        return (self.raw_features(windows, physics) - self.mean) / self.scale

    def forward(self, windows: Tensor, physics: Physics | None = None) -> Tensor:
        """Raw windows (n, channel, sample) to embeddings (n, d)."""
        embedding: Tensor = self.body(self.features(windows, physics))
        return embedding


def takes_physics(frontend: nn.Module) -> bool:
    """Whether a front end's module takes speeds and orders beside the windows."""
    return bool(getattr(frontend, "physics", False))


def features_of(frontend: nn.Module, channels: int, window: int) -> tuple[int, ...]:
    """The shape of one window's features."""
    known = (torch.full((1,), 1800.0), torch.ones(1, 4)) if takes_physics(frontend) else ()
    with torch.no_grad():
        return tuple(frontend(torch.zeros(1, channels, window), *known).shape[1:])


def save_net(net: Net, folder: Path) -> None:
    """Writes the net's tensors to `folder`."""
    save_file({name: tensor.detach().contiguous().clone() for name, tensor in net.state_dict().items()}, str(folder / WEIGHTS))


def load_net(net: Net, folder: Path) -> Net:
    """A freshly built net with the tensors of `folder`; layers take the stored sizes, so that a pruned net comes back pruned.

    Raises:
        DataError: The file is damaged, or does not fit the net.
    """
    path = folder / WEIGHTS
    try:
        stored = load_file(str(path))
    except (OSError, ValueError, RuntimeError) as error:
        raise DataError(f"{path}: no readable net ({error}): delete it, it will be made again") from error
    expected = net.state_dict()
    if stored.keys() != expected.keys():
        odd = sorted(stored.keys() ^ expected.keys())[0]
        raise DataError(f"{path}: does not fit the net ({odd}): delete it, it will be made again")
    for name, tensor in stored.items():
        owner_name, _, attribute = name.rpartition(".")
        owner = net.get_submodule(owner_name)
        old = getattr(owner, attribute)
        setattr(owner, attribute, nn.Parameter(tensor, old.requires_grad) if isinstance(old, nn.Parameter) else tensor)
        if attribute == "weight":
            _resize(owner, tensor)
    return net


def _resize(layer: nn.Module, weight: Tensor) -> None:
    """Lets a standard layer's attributes say the sizes that its weight has."""
    for attribute, axis in SIZES:
        if hasattr(layer, attribute) and weight.dim() > axis:
            groups = getattr(layer, "groups", 1) if attribute == "in_channels" else 1
            setattr(layer, attribute, weight.shape[axis] * groups)
