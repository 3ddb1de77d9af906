"""The minds: one wrapper around language and vision models, and what is decided with it."""
