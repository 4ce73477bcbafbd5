"""From losses to a picture: `stylize` puts the method, the kernels and the controls together."""
