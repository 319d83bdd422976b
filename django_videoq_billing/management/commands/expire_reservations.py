from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from django_videoq_billing.services.usage_tracker import release_expired


class Command(BaseCommand):
    help = "Give back every hold that is overdue. Safe to run twice or in two places at once."

    def handle(self, *args: Any, **options: Any) -> None:
        count = release_expired(timezone.now())
        if count:
            holds = "1 overdue hold" if count == 1 else f"{count} overdue holds"
            self.stdout.write(self.style.SUCCESS(f"Gave back {holds}."))
        else:
            self.stdout.write("No hold is overdue.")
