"""Programs that measure Labwright: each prints a table, and writes JSON with ``--json FILE``."""
