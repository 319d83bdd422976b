"""Ids that look like Stripe's and repeat from run to run when a seed is given."""

import hashlib

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
LENGTHS = {"cus": 14, "prod": 14, "si": 14, "cs_test": 58, "pi_secret": 25, "seti_secret": 25, "whsec": 32}


class Ids:
    """The n-th id depends on the seed and n alone, so that a saved state goes on where it stopped."""

    def __init__(self, seed: str, counter: int = 0) -> None:
        self.seed = seed
        self.counter = counter

    def new(self, prefix: str) -> str:
        return f"{prefix}_{self.token(LENGTHS.get(prefix, 24))}"

    def token(self, length: int) -> str:
        self.counter += 1
        digest = hashlib.sha512(f"{self.seed}:{self.counter}".encode()).digest()
        return "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:length])
