"""A bank that is not real: it takes payment files, and tells in files what became of them."""
