"""What a training step does to the parameters."""

import dataclasses

import numpy as np
from frameworks import images, needs_bfloat16
from trainings import (
    ARCH,
    OPTIONS,
    data_of,
    fit,
    model_of,
)


def test_a_frozen_network_trains_on_what_it_predicts_with(package, framework):
    model = package.VGG(dataclasses.replace(ARCH, dropout=0), lr=0.02)
    fit(package, model, max_epochs=1)
    X = images((8, 1, 28, 28))
    for frozen in False, True:
        if frozen:
            model.freeze()
            model.compile()
        predicted = framework.forward(model, X)
        trained = framework.forward(model, X, train=True)
        assert np.allclose(trained, predicted, rtol=1e-5, atol=1e-5) == frozen


def test_the_trainer_compiles_the_network(package, framework):
    model = model_of(package)
    fit(package, model, max_epochs=1, **OPTIONS)
    X = images((2, 1, 28, 28))
    framework.forward(model, X)
    assert framework.is_compiled(model)


@needs_bfloat16
def test_a_model_that_computes_in_float32_again_is_as_it_was(
    package, framework
):
    model = model_of(package)
    fit(package, model, **OPTIONS)
    X = data_of(package).val[0][:4, None].astype('float32') / 255
    plain = framework.forward(model, X)
    for precision, same in ('bfloat16', False), ('float32', True):
        model.set_precision(precision)
        model.compile()
        Y_hat = framework.forward(model, X)
        assert np.array_equal(Y_hat, plain) == same
