"""Pages to look at: what each latent marks, and where."""
