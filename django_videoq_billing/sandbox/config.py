"""What is decided when the sandbox starts (`SandboxConfig`) and what can be switched while it runs (`Switches`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Literal

API_VERSION = "2026-05-27.dahlia"  # dj-stripe 2.11's DEFAULT_STRIPE_API_VERSION
DEFAULT_KEY = "sk_test_localsandbox0000000000000"  # dj-stripe wants 24 characters or more after sk_test_
DAY = 86_400
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})

AfterRetries = Literal["cancel", "unpaid", "past_due"]
"""What becomes of a subscription whose renewal could not be collected by the last retry."""


@dataclass(frozen=True, kw_only=True)
class SandboxConfig:
    host: str = "127.0.0.1"
    port: int = 12111
    api_keys: tuple[str, ...] = (DEFAULT_KEY,)
    seed: str | None = None
    """Makes ids and shuffles repeat. None draws a fresh one."""
    start: int | None = None
    """Unix seconds at which time stands still until it is advanced. None follows the real clock."""
    state_file: Path | None = None
    forward_to: str | None = None
    """A webhook endpoint that exists from the start, for every event."""
    webhook_secret: str = "whsec_sandbox"  # noqa: S105 - a public default of a local test server
    public_url: str | None = None
    """Where browsers reach the pages, if not http://host:port."""
    delivery_timeout: float = 20.0
    retry_days: tuple[int, ...] = (3, 5, 7)
    after_retries: AfterRetries = "cancel"
    account_name: str = "Your app"
    country: str = "US"
    currency: str = "usd"

    def __post_init__(self) -> None:
        if not is_loopback(self.host):
            raise ValueError(f"The sandbox listens on loopback only, not on {self.host!r}.")
        if any("_live_" in key for key in self.api_keys):
            raise ValueError(
                "The sandbox takes no live keys: a secret that moves money has no business here."
            )

    @property
    def url(self) -> str:
        return self.public_url or f"http://{self.host}:{self.port}"


@dataclass
class Outage:
    """The next `requests` API requests whose path starts with `path` go wrong."""

    mode: Literal["500", "503", "429", "hang", "lost"] = "503"
    requests: int = 0
    seconds: float = 30.0
    """How long `hang` (nothing is done) and `lost` (all is done) keep the client waiting before the 503."""
    path: str = "/v1/"
    retry_after: int = 0
    """Seconds that the Retry-After header names; 0 leaves it out."""


@dataclass
class Switches:
    duplicate: int = 0
    """Extra copies of each new delivery."""
    shuffle: bool = False
    """Send what is due in random (seeded) order instead of the order of events."""
    delay_seconds: int = 0
    drop: Literal["none", "first", "all"] = "none"
    """`first` loses each delivery's first attempt (it is retried); `all` loses new deliveries for good."""
    paused: bool = False
    concurrency: int = 1
    signature_time: Literal["wall", "clock"] = "wall"
    """Receivers check a signature's age against their own clock, hence real time by default."""
    retry_days: list[int] = field(default_factory=lambda: [3, 5, 7])
    """Days from a failed payment of a renewal to the next attempt."""
    after_retries: AfterRetries = "cancel"
    outage: Outage = field(default_factory=Outage)


def is_loopback(host: str) -> bool:
    if host in LOOPBACK_NAMES:
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
