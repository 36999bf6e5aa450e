"""Image to image: what is dead or not wanted is left out of the layers, and package databases say what is left."""
