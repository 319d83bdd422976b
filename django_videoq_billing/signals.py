"""Signals that host projects may listen to."""

from django.dispatch import Signal

quota_exceeded = Signal()
"""An operation was refused at the limit; nothing was counted.

Sender: `services.usage_tracker.UsageTracker`. Arguments: `user`, and `reservation`, the refused
`types.Reservation` (metric, amount, used, limit, period).
"""

subscription_activated = Signal()
"""A paid subscription began to give access: the first payment went through, or a trial began.

Sender: `UserSubscription`. Argument: `subscription`. Sent after the commit, like all signals below.
"""

plan_changed = Signal()
"""The plan of a subscription changed, here or at Stripe.

Sender: `UserSubscription`. Arguments: `subscription`, `previous_plan`.
"""

subscription_cancelled = Signal()
"""A subscription at Stripe has ended; the default plan's limits hold from now on.

Sender: `UserSubscription`. Argument: `subscription`.
"""

payment_succeeded = Signal()
"""A payment was entered into the ledger. Sender: `PaymentTransaction`. Argument: `transaction`."""

payment_failed = Signal()
"""A failed attempt to pay was entered into the ledger. Sender: `PaymentTransaction`. Argument: `transaction`."""

webhook_failed = Signal()
"""An event could not be processed; it will be tried again. Sender: `WebhookEvent`. Arguments: `event`, `error`."""

quota_threshold_reached = Signal()
"""A user's usage of a metric has reached one of WARNING_THRESHOLDS; told once for each period and threshold.

Sender: `UsageAlert`. Argument: `alert` (user, metric, threshold, used, limit, period_start).
"""

work_waiting = Signal()
"""Something was written down that a job should look at soon. A wake-up: a lost one does no harm.

Sender: the model. Argument: `job`, the job's name.
"""
