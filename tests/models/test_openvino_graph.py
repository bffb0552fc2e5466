"""What is kept of a model's graph: each thing once, and the same results."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qa_bot.models.openvino_graph import simplify
from qa_bot.models.openvino_import import import_quietly

openvino = import_quietly("openvino")
op = import_quietly("openvino.opset13")


def repetitive() -> Any:
    """Two inputs alike, two states alike, and every axis and sum made over and over."""
    one, other = (op.parameter([-1, 4], np.float32) for _ in range(2))
    start = op.constant(np.zeros((1, 4), np.float32))
    states = [op.read_value(start, f"state {number}") for number in range(2)]
    parts = []
    for state in 3 * states:
        total = op.add(op.exp(one), op.exp(other))
        halves = op.split(total, op.constant(1), 2)
        parts += [op.subtract(halves.output(1), halves.output(0)), op.subtract(total, state)]
    grown = [op.add(state, op.constant(np.float32(step))) for step, state in enumerate(states, 1)]
    sinks = [op.assign(value, f"state {number}") for number, value in enumerate(grown)]
    return openvino.Model([op.result(op.concat(parts, 1))], sinks, [one, other], "repetitive")


def outputs(model: Any) -> list[NDArray[np.float32]]:
    """Of three calls, each of which changes the states."""
    request = openvino.Core().compile_model(model, "CPU").create_infer_request()
    one = np.linspace(-1, 1, 4, dtype=np.float32).reshape(1, 4)
    return [request.infer([one, 2 * one])[0].copy() for _ in range(3)]


def kinds(model: Any) -> Counter[str]:
    return Counter(node.get_type_name() for node in model.get_ops())


def test_what_is_computed_alike_is_computed_once() -> None:
    model = repetitive()
    before, then = outputs(model), kinds(model)
    simplify(model)
    now = kinds(model)
    assert (then["Exp"], now["Exp"]) == (12, 2)
    assert (then["Add"], now["Add"]) == (8, 3)
    assert now["Constant"] < then["Constant"] / 2
    np.testing.assert_array_equal(outputs(model), before)
    assert not np.array_equal(before[0], before[1])


def test_inputs_and_states_stay_apart() -> None:
    """They look alike too: it is what they hold that differs."""
    model = repetitive()
    simplify(model)
    assert kinds(model)["Parameter"] == 2
    assert kinds(model)["Assign"] == 2
