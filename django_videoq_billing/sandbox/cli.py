"""`python -m django_videoq_billing.sandbox`: run the local Stripe from the command line or the environment."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from threading import Thread

from django_videoq_billing.sandbox.config import DEFAULT_KEY, SandboxConfig


def parser() -> argparse.ArgumentParser:
    """Options also come from the environment: STRIPE_SANDBOX_PORT, STRIPE_SANDBOX_API_KEY and so on."""
    arguments = argparse.ArgumentParser(
        prog="stripe_sandbox", description="A local Stripe for development and tests."
    )
    add_arguments(arguments)
    arguments.add_argument(
        "--with-parent",
        action="store_true",
        help="stop when standard input ends: with the process that holds the other end, however that one ends",
    )
    return arguments


def add_arguments(arguments: argparse.ArgumentParser) -> None:
    """The options, also for a management command that wants the same ones."""

    def default(name: str, fallback: str | None = None) -> str | None:
        return os.environ.get(f"STRIPE_SANDBOX_{name}", fallback)

    add = arguments.add_argument
    add("--host", default=default("HOST", "127.0.0.1"), help="loopback names and addresses only")
    add("--port", type=int, default=default("PORT", "12111"))
    add("--api-key", action="append", dest="api_keys", help="a secret key to accept; may be repeated")
    add("--seed", default=default("SEED"), help="makes ids and shuffles repeat")
    add(
        "--start",
        type=int,
        default=default("START"),
        help="Unix seconds at which time stands still until advanced",
    )
    add("--state", type=Path, default=default("STATE"), help="a JSON file to keep the state in")
    add(
        "--forward-to",
        default=default("FORWARD_TO"),
        help="a webhook URL that gets every event from the start",
    )
    add(
        "--webhook-secret",
        default=default("WEBHOOK_SECRET", "whsec_sandbox"),
        help="the secret of --forward-to",
    )
    add(
        "--retry-days",
        default=default("RETRY_DAYS", "3,5,7"),
        help="days between attempts at a failed renewal",
    )
    add(
        "--after-retries",
        default=default("AFTER_RETRIES", "cancel"),
        choices=["cancel", "unpaid", "past_due"],
    )
    add("--public-url", default=default("PUBLIC_URL"), help="where browsers reach the pages")
    add("--account-name", default=default("ACCOUNT_NAME", "Your app"), help="shown on the pages")
    add("--currency", default=default("CURRENCY", "usd"))
    add("--country", default=default("COUNTRY", "US"))


def config_from(options: argparse.Namespace) -> SandboxConfig:
    keys = options.api_keys or [os.environ.get("STRIPE_SANDBOX_API_KEY", DEFAULT_KEY)]
    return SandboxConfig(
        host=options.host, port=options.port, api_keys=tuple(keys), seed=options.seed, start=options.start,
        state_file=Path(options.state) if options.state else None, forward_to=options.forward_to,
        webhook_secret=options.webhook_secret, public_url=options.public_url, currency=options.currency,
        country=options.country, account_name=options.account_name,
        retry_days=tuple(int(days) for days in options.retry_days.split(",") if days), after_retries=options.after_retries,
    )  # fmt: skip


def _stop_with_stdin() -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


def main(argv: list[str] | None = None) -> int:
    options = parser().parse_args(argv)
    try:
        config = config_from(options)
        from django_videoq_billing.sandbox.server import serve
    except (ValueError, ImportError) as error:
        sys.stderr.write(f"{error}\n")
        if isinstance(error, ImportError):
            sys.stderr.write("Install the extra: pip install 'django-videoq-billing[sandbox]'\n")
        return 1
    if options.with_parent:
        Thread(target=_stop_with_stdin, daemon=True).start()
    sys.stderr.write(f"Stripe sandbox on {config.url} (console: {config.url}/_sandbox/)\n")
    serve(config)
    return 0
