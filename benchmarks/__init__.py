"""How fast, how exact: this package beside the libraries that people use for limits. `python -m benchmarks`."""
