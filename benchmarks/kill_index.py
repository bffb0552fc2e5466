"""Kill index updates at random moments, over and over, and check what is left each time.

    python benchmarks/kill_index.py [ROUNDS]

Every round edits files at random, kills an update (a quarter of them rebuilds, half of the
others in a copy), sees that count, ids, texts, metadata and vectors agree with the manifest,
and that the next run converges. It stops at the first that does not.
"""

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from index_stress import round_of_kills


def main(rounds: int) -> None:
    """Run so many rounds, and print a line for every ten."""
    sums = {"finished": 0, "switched": 0, "repeated": 0, "milliseconds": 0}
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(rounds):
            for name, value in round_of_kills(Path(folder), seed).items():
                sums[name] += value
            if (seed + 1) % 10 == 0:
                print(
                    f"{seed + 1} rounds in {time.monotonic() - started:.0f} s: {sums}", flush=True
                )
    print(f"{rounds} of {rounds} rounds left a whole index")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
