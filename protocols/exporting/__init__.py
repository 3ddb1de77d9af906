"""Protocols and programs in other forms: an Opentrons protocol, a worklist, a procedure for the bench."""

from protocols.exporting.exported import Exported
from protocols.exporting.opentrons import export_opentrons
from protocols.exporting.pages import html, markdown
from protocols.exporting.procedure import Procedure, procedure_of_program, procedure_of_protocol
from protocols.exporting.worklist import export_worklist

__all__ = [
    "Exported",
    "Procedure",
    "export_opentrons",
    "export_worklist",
    "html",
    "markdown",
    "procedure_of_program",
    "procedure_of_protocol",
]
