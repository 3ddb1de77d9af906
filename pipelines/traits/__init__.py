"""From a folder of organism images to the regions that mark a trait of a taxon.

Data flows one way, stage by stage, each with its own folder: ``collections`` (images and what is known of them),
``features`` (patch activations of a vision model), ``sae`` (sparse autoencoders over them), ``marking`` (latents that
mark a taxon), ``regions`` (where in the original image), ``gallery`` (pages to look at), ``finding`` (all of it as one
resumable job). ``organisms`` draws images whose right answer is known, ``measures`` holds results against it.
"""
