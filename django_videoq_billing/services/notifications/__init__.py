"""From a row of the outbox to the mail in the inbox: what is still true is said in the user's language."""

from django_videoq_billing.services.notifications.languages import language_of, remember_language
from django_videoq_billing.services.notifications.sending import send_again, send_due

__all__ = ["language_of", "remember_language", "send_again", "send_due"]
