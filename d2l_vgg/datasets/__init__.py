"""Fashion-MNIST and its stand-in, as NumPy arrays."""
