"""The method: Gatys, Ecker and Bethge, "A Neural Algorithm of Artistic Style" (arXiv:1508.06576).

To be read in this order: `preprocessing` and `vgg` (a picture to features and back), `functions`
(Gram matrix, distances, what weights mean), `statistics` and `targets` (what is compared),
`objective` (loss and gradient), `lbfgs` and `minimizer` (the search for the picture).

Nothing here knows of files, devices, tiles or speed.
"""
