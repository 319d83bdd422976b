"""Many processes that hammer the same users while servers, networks and processes die. See __main__."""
