"""What stands beside the form while a user types: mistakes, pods selected, the effect, the matrix, lint's findings.

A `DraftSession` is made of a snapshot of the cluster, and answers for one edit of a policy after the other. It keeps
what depends on the snapshot alone. `draft_document` has the answers.
"""

from ovsnp.console.draft.draft_document import DraftDocument, Stage
from ovsnp.console.draft.edit import Deletion, Draft, Edit
from ovsnp.console.draft.session import DraftSession

__all__ = ["Deletion", "Draft", "DraftDocument", "DraftSession", "Edit", "Stage"]
