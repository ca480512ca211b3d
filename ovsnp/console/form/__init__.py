"""The form and the YAML text of a policy: two views of one object.

`form_of` makes the form of an object, `object_of` the object of a form that a user has changed; what the form does not
show stays in the object. `mistakes_of` finds the mistakes of an object at the fields of its form. `yaml_of`,
`object_of_text` and `edited_text` do the same for text. `labelled_workloads` lists labels to take over,
`labels_of_pods` those to choose from.
"""

from ovsnp.console.form.document import (
    ExpressionForm,
    LabelForm,
    NamespacesForm,
    PeerForm,
    PolicyForm,
    PortForm,
    RuleForm,
    SelectorForm,
)
from ovsnp.console.form.mistakes import FieldMistake, FormError, NotShownError
from ovsnp.console.form.object_mistakes import field_of, mistakes_of
from ovsnp.console.form.reading import form_of
from ovsnp.console.form.workloads import LabelledWorkload, labelled_workloads, labels_of_pods
from ovsnp.console.form.writing import object_of
from ovsnp.console.form.yaml_view import TextReading, edited_text, in_usual_order, object_of_text, yaml_of

__all__ = [
    "ExpressionForm",
    "FieldMistake",
    "FormError",
    "LabelForm",
    "LabelledWorkload",
    "NamespacesForm",
    "NotShownError",
    "PeerForm",
    "PolicyForm",
    "PortForm",
    "RuleForm",
    "SelectorForm",
    "TextReading",
    "edited_text",
    "field_of",
    "form_of",
    "in_usual_order",
    "labelled_workloads",
    "labels_of_pods",
    "mistakes_of",
    "object_of",
    "object_of_text",
    "yaml_of",
]
