"""A prepared model's graph, made smaller before it is kept.

OpenVINO goes over all nodes dozens of times whenever it loads a model, so that loading takes
time by the node, however small. What it makes of a GGUF repeats itself: each layer brings
its own copy of every axis, shape and mask.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from qa_bot.models.openvino_import import import_quietly

SMALL = 16
"""Numbers of a constant that is worth comparing; the rest are weights."""
KEPT = frozenset(("Parameter", "Result", "ReadValue", "Assign", "If", "Loop", "TensorIterator"))
"""What holds a place, a state or a graph of its own: two are two, however alike."""


def simplify(model: Any) -> None:
    """Have one node compute what several did, after OpenVINO's own simplifications."""
    import_quietly("openvino._offline_transformations").apply_moc_transformations(model, False)
    first: dict[tuple[Any, ...], Any] = {}
    for node in model.get_ordered_ops():
        known = first.setdefault(_computed(node), node)
        if known is not node:
            for output, same in zip(node.outputs(), known.outputs(), strict=True):
                for user in list(output.get_target_inputs()):
                    user.replace_source_output(same)


def _computed(node: Any) -> tuple[Any, ...]:
    """Equal for nodes that give the same."""
    kind = node.get_type_name()
    if kind == "Constant" and math.prod(node.get_output_shape(0)) <= SMALL:
        number = node.get_output_element_type(0).get_type_name()
        return kind, number, tuple(node.get_output_shape(0)), np.asarray(node.data).tobytes()
    if kind == "Constant" or kind in KEPT:
        return (node.get_name(),)
    sources = [value.get_source_output() for value in node.inputs()]
    made_of = tuple((source.get_node().get_name(), source.get_index()) for source in sources)
    return kind, str(node.get_attributes()), made_of
