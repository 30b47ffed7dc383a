"""Errors that every framework's trainer raises.

Each is one sentence that says what is wrong and what to do.
"""


class TrainingDiverged(ArithmeticError):
    """The loss of a run is no longer a finite number."""
