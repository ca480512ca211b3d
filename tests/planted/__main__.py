"""Plants defects in as many random clusters as are named: ``python -m tests.planted CLUSTERS [FIRST]``."""

import sys

from tests.planted.trial import trials


def main() -> None:
    """Say what comes of each defect, and how many there are."""
    clusters, first = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    planted = neutral = found = 0
    for seed in range(first, first + clusters):
        for trial in trials(seed):
            planted += 1
            neutral += trial.difference is None
            found += trial.difference is not None and bool(trial.found)
            word = "neutral" if trial.difference is None else "found" if trial.found else "MISSED"
            _say(
                f"{seed} {word} by {','.join(trial.found) or 'nothing'}: {trial.planted.kind}: {trial.planted.what[:700]}"
            )
            if trial.missed and trial.difference:
                _say(f"    {trial.difference.packet}\n    {trial.difference.before}\n    {trial.difference.after}")
        _say(f"# to {seed}: {planted} planted, {neutral} neutral, {planted - neutral} change something, {found} found")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
