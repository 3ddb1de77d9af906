"""The whole job, from a folder of images to regions with evidence, stage by stage."""
