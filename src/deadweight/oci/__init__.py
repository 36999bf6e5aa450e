"""The OCI model: digests, descriptors, manifests, indexes, configs, references; strict parsing."""
