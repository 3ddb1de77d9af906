"""Protocols and programs in other forms: an Opentrons protocol, a worklist, a procedure for the bench."""

from protocols.exporting.exported import Exported
from protocols.exporting.opentrons import export_opentrons
from protocols.exporting.worklist import export_worklist

__all__ = ["Exported", "export_opentrons", "export_worklist"]
