"""Point figures by class: recall and the confusion matrix, computed by torchmetrics (imported when used: it brings torch)."""

from __future__ import annotations

from typing import Any

import numpy as np

from faultbench.results.outcome import Outcome


def by_class(outcome: Outcome) -> dict[str, Any]:
    """Recall of each class, and the confusion matrix.

    Returns:
        `classes`: `{label: {recall, queries}}` for every class that was asked for; `confusion`: `{labels, counts}`, the
        counts (true class, returned class), with a row and a column for every class asked for or returned.
    """
    import torch
    from torchmetrics.functional.classification import multiclass_confusion_matrix, multiclass_recall

    labels, numbers = np.unique(np.concatenate([outcome.label, outcome.predicted]), return_inverse=True)
    true, returned = torch.from_numpy(numbers.reshape(2, -1).astype(np.int64))
    # torchmetrics wants two classes at least; one that never occurs is cut off again.
    ways = max(2, len(labels))
    counts = multiclass_confusion_matrix(returned, true, ways)[: len(labels), : len(labels)]
    recall = multiclass_recall(returned, true, ways, average="none")
    asked = counts.sum(dim=1)
    classes = {str(label): {"recall": float(recall[n]), "queries": int(asked[n])} for n, label in enumerate(labels) if asked[n]}
    return {"classes": classes, "confusion": {"labels": [str(label) for label in labels], "counts": counts.tolist()}}
