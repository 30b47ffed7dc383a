"""Gradient descent with the velocity that all frameworks here agree on."""

import torch


class SGD(torch.optim.SGD):
    """Minibatch stochastic gradient descent.

    With `momentum`, a parameter w has a velocity v: v <- momentum v - lr
    (gradient + weight_decay w), and then w <- w + v. PyTorch's own multiplies
    by `lr` only as it adds v to w, so that a new learning rate acts on what
    was learned before, too. Without, both are the same.
    """

    def __init__(self, params, lr, momentum=0, weight_decay=0):
        super().__init__(
            params, lr, momentum=momentum, weight_decay=weight_decay
        )
        for group in self.param_groups if momentum else ():
            for param in group['params']:
                self.state[param]['momentum'] = torch.zeros_like(param)

    @torch.no_grad()
    def step(self, closure=None):
        if not self.state:
            return super().step(closure)
        loss = None if closure is None else torch.enable_grad()(closure)()
        for group in self.param_groups:
            params = [p for p in group['params'] if p.grad is not None]
            velocities = [self.state[p]['momentum'] for p in params]
            grads, lr = [p.grad for p in params], group['lr']
            # Each of these works on all the arrays of a list
            torch._foreach_mul_(velocities, group['momentum'])
            torch._foreach_add_(velocities, grads, alpha=-lr)
            if group['weight_decay']:
                decay = -lr * group['weight_decay']
                torch._foreach_add_(velocities, params, alpha=decay)
            torch._foreach_add_(params, velocities)
        return loss
