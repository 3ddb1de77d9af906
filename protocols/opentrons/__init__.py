"""Import of Opentrons protocols: their analysis as a program on an OT-2 or a Flex."""

from protocols.opentrons.importing import Imported, import_analysis
from protocols.opentrons.inference import SetUp, infer_contents
from protocols.opentrons.rig import Rig, RigModule
from protocols.opentrons.set_up import set_up_in_words
from protocols.opentrons.walk import Lost

__all__ = ["Imported", "Lost", "Rig", "RigModule", "SetUp", "import_analysis", "infer_contents", "set_up_in_words"]
