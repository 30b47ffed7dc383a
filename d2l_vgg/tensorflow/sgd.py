"""Gradient descent as the other frameworks have it."""

import keras


class SGD(keras.optimizers.SGD):
    """Keras's gradient descent, with weight decay as part of the gradient.

    Keras's own `weight_decay` shrinks the parameters beside the gradient, so
    that it has no momentum.

    Args:
        learning_rate, momentum: as Keras's
        coupled_weight_decay: so many times a parameter is added to its
            gradient
    """

    def __init__(self, learning_rate, momentum=0.0, coupled_weight_decay=0.0):
        super().__init__(learning_rate, momentum)
        self.coupled_weight_decay = coupled_weight_decay

    def update_step(self, gradient, variable, learning_rate):
        if self.coupled_weight_decay:
            gradient = gradient + self.coupled_weight_decay * variable
        super().update_step(gradient, variable, learning_rate)
