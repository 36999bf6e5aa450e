"""Every byte in exactly one class; findings and actions over them."""
