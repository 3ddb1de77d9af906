"""The driver: instructions become guarded pylabrobot calls."""

from robots.driver.driver import PyLabRobotDriver, make_driver

__all__ = ["PyLabRobotDriver", "make_driver"]
