"""Scripts that the image's own programs run: each stands alone. What is Python needs 3.6, and its standard library; what is JavaScript, Node.js 8.9."""
