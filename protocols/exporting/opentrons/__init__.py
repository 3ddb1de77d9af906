"""Programs as Python protocols for Opentrons' robots."""

from protocols.exporting.opentrons.protocol import export_opentrons

__all__ = ["export_opentrons"]
