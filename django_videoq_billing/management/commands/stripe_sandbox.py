from __future__ import annotations

from argparse import Namespace
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from django_videoq_billing.conf import get_settings
from django_videoq_billing.sandbox.cli import add_arguments, config_from


class Command(BaseCommand):
    help = "Run the local Stripe for development and tests: no account, no network, no money."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        add_arguments(parser)
        parser.add_argument(
            "--without-debug", action="store_true", help="Run it although DEBUG is off, as on a test machine."
        )

    def handle(self, *args: Any, without_debug: bool, **options: Any) -> None:
        if not (settings.DEBUG or without_debug):
            raise CommandError(
                "The sandbox takes test cards for money: it runs with DEBUG = True, or with --without-debug."
            )
        options["api_keys"] = options["api_keys"] or _our_test_keys()
        try:
            config = config_from(Namespace(**options))
            from django_videoq_billing.sandbox.server import serve
        except ImportError as error:
            raise CommandError(
                "The sandbox needs its extra: pip install 'django-videoq-billing[sandbox]' "
                f"({error.name or error} is missing)."
            ) from error
        except ValueError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Stripe sandbox on {config.url} (console: {config.url}/_sandbox/)")
        self.stdout.flush()  # whoever reads this through a pipe waits for it
        serve(config)


def _our_test_keys() -> list[str]:
    """Return the key of the settings, so that site and sandbox agree; a live one is never taken."""
    key = get_settings().STRIPE_SECRET_KEY
    return [key] if "_test_" in key else []
