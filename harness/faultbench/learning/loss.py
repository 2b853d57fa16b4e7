"""The loss of an episode."""

import torch
from torch import Tensor


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross entropy of logits (n, way) against one-hot labels (n, way); rows of zeros are padding and do not count."""
    return -(labels * torch.log_softmax(logits, -1)).sum() / labels.sum()
