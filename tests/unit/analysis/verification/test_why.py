"""The reason beside a counterexample where no policy applies."""

import pytest

from ovsnp.analysis.verification.counterexample import Counterexample
from ovsnp.analysis.verification.why import why
from ovsnp.manifests import load_objects
from ovsnp.model.options import Options


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("passes, and must be dropped", "Packets that come in by this port may not"),
        ("remembered as admitted, and must be dropped", "Packets that come in by this port may not"),
        ("dropped, and must pass", "The holder of the destination decides"),
        ("leaves by another port", "The holder of the destination decides"),
    ],
)
def test_what_must_pass_is_not_called_forbidden(what: str, words: str) -> None:
    example = Counterexample("policy", what, "tcp", "", (), None, None, None, (), "", 1)
    (line,) = why(example, load_objects([]), Options("br-int", None))
    assert line.startswith(words)
