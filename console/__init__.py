"""Where people meet Labwright: the command line."""
