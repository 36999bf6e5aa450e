"""What one kind of file needs: one module for each, behind the Protocols of `closures`."""
