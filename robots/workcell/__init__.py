"""The workcell: one YAML file says the lab; here it becomes a spec and pylabrobot's picture of the deck."""

from robots.workcell.workcell import Workcell, load_workcell, shipped_workcells

__all__ = ["Workcell", "load_workcell", "shipped_workcells"]
