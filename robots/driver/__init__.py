"""The driver: instructions become guarded pylabrobot calls."""

import logging

from robots.driver.driver import PyLabRobotDriver, make_driver

__all__ = ["PyLabRobotDriver", "make_driver"]

# What pylabrobot logs is for those who ask for it: a lost connection, say, is told and handled here.
logging.getLogger("pylabrobot").addHandler(logging.NullHandler())
