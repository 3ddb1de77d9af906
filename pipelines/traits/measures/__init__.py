"""How far results agree with what is known."""
