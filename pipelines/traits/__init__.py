"""From a folder of organism images to the regions that mark a trait of a taxon.

Data flows one way, stage by stage, each with its own folder: ``collections`` (images and what is known of them),
``features`` (patch activations of a vision model), ``sae`` (sparse autoencoders over them), ``marking`` (latents that
mark a taxon), ``regions`` (where in the original image), ``gallery`` (pages to look at), ``finding`` (all of it as one
resumable job). From there to words: ``vocabulary`` (ontologies and the dictionary of characters), ``describing`` (by
measurement), ``prompting`` (by a model), ``checking`` (what speaks against a statement), ``dataset`` (files that others
read), ``annotating`` (the job), ``gold`` (a blind sample of it, answered by people). ``organisms`` draws images whose
right answer is known, ``measures`` holds results against it.

Importing it lets the threads of torch sleep between two pieces of work, unless ``OMP_WAIT_POLICY`` says otherwise:
by default they spin, and hold up the threads that prepare images and move weights. It must be set before torch is
loaded.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
