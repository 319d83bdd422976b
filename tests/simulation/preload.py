"""Loaded once by the process that the workers are forked from."""

import django

django.setup()

import tests.simulation.worker  # noqa: E402, F401
