"""Import of Opentrons protocols: their analysis as a program on an OT-2 or a Flex."""

from protocols.opentrons.analysis import is_analysis
from protocols.opentrons.importing import Imported, import_analysis
from protocols.opentrons.rig import Rig, RigModule
from protocols.opentrons.walk import Lost

__all__ = ["Imported", "Lost", "Rig", "RigModule", "import_analysis", "is_analysis"]
