"""The billing page: what Django puts around the built front end, and meters without JavaScript."""
