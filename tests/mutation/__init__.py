"""Mutation testing with mutmut, docs/mutation.md; `python -m tests.mutation` (tox env "mutation")."""
