"""A year of a site beside the sandbox, with everything that goes wrong in one. See __main__."""
