"""What one kind of file needs: a module each, behind the Protocol of `deadweight.evidence.closures`."""
