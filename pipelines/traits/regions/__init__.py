"""Where in the original image a latent fires."""
