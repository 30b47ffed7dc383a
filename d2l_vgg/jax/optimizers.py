"""Gradient descent in Optax, and what an optimizer keeps, by name."""

import jax
import optax
from jax import numpy as jnp
from jax.tree_util import DictKey, GetAttrKey, keystr

from d2l_vgg.jax import trees
from d2l_vgg.training.checkpoint import optimizer_name


@optax.inject_hyperparams
def sgd(learning_rate, momentum=None, weight_decay=None):
    """Return gradient descent whose velocity has the learning rate inside.

    v <- momentum v - learning_rate (gradient + weight_decay w), w <- w + v,
    as in the other frameworks. In `optax.sgd` the rate is outside, which is
    another thing as soon as it changes. Optax's `inject_hyperparams` makes
    the rate a part of the state, where a schedule can set it.
    """
    steps = [optax.scale_by_learning_rate(learning_rate)]
    if weight_decay is not None:
        steps.insert(0, optax.add_decayed_weights(weight_decay))
    if momentum is not None:
        steps.append(optax.trace(momentum))
    return optax.chain(*steps)


def hyperparams(state):
    """Return the hyperparameters that an optimizer's state tells."""
    return getattr(state, 'hyperparams', {})


def with_lr(state, lr):
    """Return the state with this learning rate, None for its own."""
    if lr is None:
        return state
    return state._replace(
        hyperparams={**state.hyperparams, 'learning_rate': lr}
    )


def clip(grads, largest):
    """Scale a gradient down to the norm `largest`, if it is longer.

    `grads` are name -> array; 0 stands for no limit.
    """
    if not largest:
        return grads
    norm = jnp.sqrt(sum((grad**2).sum() for grad in grads.values()))
    scale = jnp.minimum(largest / norm, 1)
    return {name: grad * scale for name, grad in grads.items()}


def arrays(state, names):
    """Return name -> NumPy array of what is in the state of an optimizer.

    Left out are hyperparameters, and counts of the updates.

    Args:
        state: as Optax has it
        names: own name of a parameter -> the one to keep it under
    """
    return {
        name: trees.to_common(leaf)
        for name, leaf in named_leaves(state, names)
        if name is not None
    }


def with_arrays(state, names, arrays, num_updates):
    """Return the state with what `arrays` has returned.

    So many updates have been made of it.
    """
    leaves = []
    for name, leaf in named_leaves(state, names):
        if name is not None:
            leaf = trees.from_common(arrays[name]).astype(leaf.dtype)
        elif leaf.dtype.kind in 'iu':
            leaf = jnp.full_like(leaf, num_updates)
        leaves.append(leaf)
    return jax.tree.unflatten(jax.tree.structure(state), leaves)


def named_leaves(state, names):
    """Return (name, array) for each array of the state, None for no name."""
    found = []
    for path, leaf in jax.tree_util.tree_leaves_with_path(state):
        fields = [key.name for key in path if isinstance(key, GetAttrKey)]
        keys = [str(key.key) for key in path if isinstance(key, DictKey)]
        own = keys[-1] if keys else None
        if own in names:
            slot = 'momentum' if fields[-1] == 'trace' else fields[-1]
            name = optimizer_name(names[own], slot)
        elif 'hyperparams' in fields or fields[-1] == 'count':
            name = None
        else:
            name = f'optimizer/{keystr(path)}'
        if name is not None and name in dict(found):
            name = f'{name}{keystr(path)}'
        found.append((name, leaf))
    return found
