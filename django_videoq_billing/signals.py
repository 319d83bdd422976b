"""Signals that host projects may listen to."""

from django.dispatch import Signal

quota_exceeded = Signal()
"""An operation was refused at the limit; nothing was counted.

Sender: `services.usage_tracker.UsageTracker`. Arguments: `user`, and `reservation`, the refused
`types.Reservation` (metric, amount, used, limit, period).
"""
