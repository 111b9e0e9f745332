"""The behaviours, one module for each group of them."""
