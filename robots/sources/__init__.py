"""Protocols in other people's Python: what the file is, its code run in isolation, and what comes of it as data.

Nothing of a file that a person gave is ever run in this process; :mod:`robots.sources.isolation` says how it is run.
"""
