"""What the tests of lifecycles share: the promised orders of events."""

SIDE = ("payment_intent.", "charge.failed")
"""Events that come along; the promised order is that of the others."""
PAID = ["charge.succeeded", "invoice.payment_succeeded", "invoice.paid"]
FIRST = ["invoice.created", "invoice.finalized", *PAID, "customer.subscription.created"]
UPDATED, DELETED = "customer.subscription.updated", "customer.subscription.deleted"
