"""The hands: workcell, guard, driver, simulator, runner and journal.

Everything that touches pylabrobot is on this floor, so that a change of its interface touches no other.
"""
