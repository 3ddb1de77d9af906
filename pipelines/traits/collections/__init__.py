"""Images of a collection, and what is known of the organisms in them."""
