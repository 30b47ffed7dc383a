"""Fashion-MNIST and sets of its form, as NumPy arrays and minibatches."""
