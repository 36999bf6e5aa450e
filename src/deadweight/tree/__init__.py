"""The merged view of an image's layers: what a container sees."""
