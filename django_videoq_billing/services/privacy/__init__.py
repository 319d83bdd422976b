"""What is kept about one person: given out, or taken out."""

from __future__ import annotations

from django_videoq_billing.services.privacy.anonymise import Anonymised, StillBilled, anonymise, what_there_is
from django_videoq_billing.services.privacy.export import billing_data_of

__all__ = ["Anonymised", "StillBilled", "anonymise", "billing_data_of", "what_there_is"]
