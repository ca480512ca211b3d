"""Plants defects in some random clusters, from a first seed on: ``python -m tests.planted CLUSTERS [FIRST]``."""

import sys
from collections import Counter

from tests.planted.trial import Trial, trials


def main() -> None:
    """Print the result for each defect, and after each cluster the totals."""
    clusters, first = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    count = Counter[str]()
    for seed in range(first, first + clusters):
        for trial in trials(seed):
            word = _word(trial)
            count[word] += 1
            kinds = ",".join(trial.found) or "nothing"
            _say(f"{seed} {word} by {kinds}: {trial.planted.kind}: {trial.planted.what[:700]}")
            if trial.missed and trial.difference:
                _say(f"    {trial.difference.packet}\n    {trial.difference.before}\n    {trial.difference.after}")
        _say(f"# clusters {first} to {seed}, {count.total()} planted: {dict(count)}")


def _word(trial: Trial) -> str:
    if trial.changes:
        return "found" if trial.found else "MISSED"
    return "unconfirmed" if trial.found else "neutral"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
