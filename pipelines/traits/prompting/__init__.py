"""Description of regions by a vision-language model, behind the one model wrapper.

prompt = Prompt(dictionary)
guard = NameGuard(taxa, vernacular)
for described in Describing(model, subjects, prompt, guard, linker=linker):
    described.statements
"""

from pipelines.traits.prompting.answers import Description, Seen
from pipelines.traits.prompting.asking import Asker, Described, Describing, requests
from pipelines.traits.prompting.converting import NO_ANSWER, Linker, Unlinked, statements
from pipelines.traits.prompting.examples import GivenExample, read_examples
from pipelines.traits.prompting.linking import OntologyLinker
from pipelines.traits.prompting.looks import Box, Crop, Look, Overlay, Whole, encoded
from pipelines.traits.prompting.names import NameGuard, NameShown, beside_pixels
from pipelines.traits.prompting.prompt import Prompt, prompt_name, resampled
from pipelines.traits.prompting.subjects import Blank, Control, Elsewhere, Shown, Subject, Told, another_place

__all__ = [
    "NO_ANSWER",
    "Asker",
    "Blank",
    "Box",
    "Control",
    "Crop",
    "Described",
    "Describing",
    "Description",
    "Elsewhere",
    "GivenExample",
    "Linker",
    "Look",
    "NameGuard",
    "NameShown",
    "OntologyLinker",
    "Overlay",
    "Prompt",
    "Seen",
    "Shown",
    "Subject",
    "Told",
    "Unlinked",
    "Whole",
    "another_place",
    "beside_pixels",
    "encoded",
    "prompt_name",
    "read_examples",
    "requests",
    "resampled",
    "statements",
]
