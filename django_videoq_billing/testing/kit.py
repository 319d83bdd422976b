"""What a test holds: the local Stripe, the time of both sides, and the moves of a user and of Stripe."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from types import EllipsisType
from typing import Any, Self

from dateutil.relativedelta import relativedelta
from django.contrib.auth.base_user import AbstractBaseUser
from django.utils import timezone

from django_videoq_billing.jobs import JOBS, due_jobs, run_job
from django_videoq_billing.models import SubscriptionPlan, UserSubscription
from django_videoq_billing.services import plan_changes
from django_videoq_billing.services.checkout import start_checkout
from django_videoq_billing.services.entitlements import ensure_subscription
from django_videoq_billing.services.plans import seed_plans
from django_videoq_billing.services.stripe_plans import push_plans
from django_videoq_billing.services.subscriptions import assign_plan
from django_videoq_billing.testing import asserting, delivery, surroundings
from django_videoq_billing.testing.clock import Clock, django_clock, from_unix
from django_videoq_billing.testing.delivery import committed
from django_videoq_billing.testing.errors import SandboxError
from django_videoq_billing.testing.factories import make_user, plan_of
from django_videoq_billing.testing.process import START, SandboxProcess, shared_process
from django_videoq_billing.types import Metric

VISA = "4242424242424242"
COLLECTED_AFTER = timedelta(hours=2)
"""Stripe leaves a renewal's invoice open for changes for an hour, and then takes the money."""
A_VISIT = timedelta(minutes=1)
"""How long somebody is on the checkout page: what is paid for begins later than what was used before."""

Plan = str | SubscriptionPlan


class BillingSandbox:
    """A local Stripe of its own for one test, and the site beside it.

    As a context manager it begins with an empty account, the plans of the settings on both sides, and both clocks
    at the same moment, at which they stand still until `advance`. Raises SandboxError where it cannot help.
    """

    url: str

    def __init__(self, process: SandboxProcess | None = None) -> None:
        self._process = process or shared_process()
        self.url = self._process.url
        self._stack = ExitStack()
        self._delivered = 0
        self._known: list[AbstractBaseUser] = []

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(surroundings.leading_to(self.url))
            self.control("reset")
            self._clock: Clock = stack.enter_context(django_clock(from_unix(START)))
            self.sync_plans()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    # The account

    def control(self, path: str, /, **body: Any) -> dict[str, Any]:
        """Call the sandbox's control API, as in `control("outage", requests=3)`."""
        return self._process.control(path, **body)

    def objects(self, kind: str) -> list[dict[str, Any]]:
        """Return everything of a kind at Stripe, oldest first, as in `objects("invoice")`."""
        found: list[dict[str, Any]] = self._process.get(f"objects/{kind}")["objects"]
        return found

    def sync_plans(self) -> None:
        """Make plan rows equal to the settings, and Stripe's products and prices equal to the rows."""
        with committed():
            seed_plans()
            list(push_plans())

    # Users

    def subscribed_user(
        self, plan: Plan, user: AbstractBaseUser | None = None, *, card: str = VISA, **fields: Any
    ) -> Any:
        """Return a user on the plan, new unless one is given: after a checkout paid with `card` where it costs."""
        user = user or make_user(**fields)
        self.subscribe(user, plan, card=card)
        return user

    def subscribe(self, user: AbstractBaseUser, plan: Plan, *, card: str = VISA) -> UserSubscription:
        """Put a user on a plan: a paid one through Stripe's checkout page and the events that follow."""
        wanted = plan_of(plan)
        if wanted.is_free:
            with committed():
                on_it = ensure_subscription(user).plan_id == wanted.pk
                return self._fresh(user) if on_it else self._fresh(assign_plan(user, wanted).user)
        if not wanted.stripe_price_id:
            self.sync_plans()
            wanted = plan_of(wanted)
        with committed():
            start_checkout(user, wanted, "https://testserver/thanks/", "https://testserver/plans/")
        self.pay_checkout(user, card=card)
        self.deliver_webhooks()
        return self._fresh(user)

    def pay_checkout(self, user: AbstractBaseUser, *, card: str = VISA) -> str:
        """Pay the checkout page that is open for the user, whoever opened it; return where that leads.

        It takes a minute, on both clocks. Any test card of Stripe will do. Raises SandboxError where the bank
        declines. Nothing is delivered yet.
        """
        page = self._row(user).stripe_checkout_session_id
        if not page:
            raise SandboxError(f"No checkout page was opened for {user}.")
        self.advance(to=self._clock.moment + A_VISIT)
        outcome = self.control(f"checkout/{page}/pay", card=card)
        if outcome["decline_code"]:
            raise SandboxError(f"The card {card} was declined: {outcome['decline_code']}.")
        return str(outcome["success_url"])

    def change_plan(self, user: AbstractBaseUser, plan: Plan) -> UserSubscription:
        """Change what a paying user has, as the endpoint does: up at once, down at the period's end."""
        with committed():
            plan_changes.change(user, plan_of(plan))
        self.deliver_webhooks()
        return self._fresh(user)

    def cancel(self, user: AbstractBaseUser) -> UserSubscription:
        """Cancel at the period's end, as the endpoint does."""
        with committed():
            plan_changes.cancel(user)
        self.deliver_webhooks()
        return self._fresh(user)

    def reactivate(self, user: AbstractBaseUser) -> UserSubscription:
        """Take the cancellation back, as the endpoint does."""
        with committed():
            plan_changes.reactivate(user)
        self.deliver_webhooks()
        return self._fresh(user)

    def subscription_of(self, user: AbstractBaseUser) -> UserSubscription:
        """Return the user's subscription as it is now; the `user.subscription` of a test may be older."""
        return self._fresh(user)

    # Stripe, and time

    def fail_next_payment(
        self, user: AbstractBaseUser, *, times: int = 1, reason: str = "insufficient_funds"
    ) -> None:
        """Have the bank refuse the user's next payments. Stripe tries again after 3, 5 and 7 days."""
        customer = self._row(user).stripe_customer_id
        if not customer:
            raise SandboxError(f"{user} is no customer of Stripe: there is no payment that could fail.")
        self.control(f"customers/{customer}/fail_next", payments=times, reason=reason)

    def advance(
        self, *, days: float = 0, hours: float = 0, months: int = 0, to: datetime | None = None
    ) -> datetime:
        """Move both clocks forward, and let everything happen at Stripe on the way. Nothing is delivered yet.

        Stripe takes the money of a renewal an hour after the period's end: `months=1, hours=2`, or `days=31`.
        """
        wanted = to or self._clock.moment + relativedelta(months=months) + timedelta(days=days, hours=hours)
        if not timezone.is_aware(wanted) or wanted < self._clock.moment:
            raise SandboxError(
                f"Time goes forward only: it is {self._clock.moment}, and {wanted} is asked for."
            )
        now = self.control("clock", to=int(wanted.timestamp()))["now"]
        self._clock.moment = from_unix(now)
        self._forget_cached()
        return self._clock.moment

    def renew(self, user: AbstractBaseUser) -> UserSubscription:
        """Go past the end of the user's period, let Stripe take the money (or fail to), and deliver the events."""
        self.deliver_webhooks()
        self.advance(to=self._row(user).current_period_end + COLLECTED_AFTER)
        self.deliver_webhooks()
        return self._fresh(user)

    def deliver_webhooks(
        self, *, shuffled: bool | int = False, twice: bool = False, check: bool = True
    ) -> list[str]:
        """Deliver what happened at Stripe since the last call to the site's webhook; return the events' types.

        In order, each once, unless `shuffled` (a number gives another order) or `twice`. The e-mails that follow
        are sent. Raises SandboxError for what cannot be processed or sent, unless `check` is False.
        """
        happened = self.objects("event")
        fresh, self._delivered = happened[self._delivered :], len(happened)
        arriving = delivery.in_order(fresh, twice=twice, shuffled=shuffled)
        delivery.deliver(arriving, check=check)
        self._forget_cached()
        return [event["type"] for event in arriving]

    def run_billing_jobs(self, names: Sequence[str] = ()) -> None:
        """Run the jobs that are due, or those named, as `run_billing_jobs` does.

        Raises SandboxError for one that fails, or for an e-mail that cannot be sent.
        """
        unknown = sorted(set(names) - JOBS.keys())
        if unknown:
            raise SandboxError(f"There is no job {', '.join(unknown)}. Jobs: {', '.join(JOBS)}.")
        for job in [JOBS[name] for name in names] or due_jobs(JOBS.values()):
            with delivery.mails_sent(), committed():
                row = run_job(job)
            if row is not None and row.outcome == row.Outcome.FAILED:
                raise SandboxError(f"The job {job.name} failed: {row.error}")
        self._forget_cached()

    def assert_quota(
        self,
        user: AbstractBaseUser,
        metric: Metric | str,
        *,
        used: int | None = None,
        limit: int | EllipsisType | None = ...,
        allowed: bool | None = None,
    ) -> None:
        """Assert what the user has used and may use (None: no limit), and whether one more is let through.

        In videos, or in seconds of transcription. What is left out is not looked at.
        """
        asserting.assert_quota(user, metric, used=used, limit=limit, allowed=allowed)

    def _row(self, user: AbstractBaseUser) -> UserSubscription:
        return ensure_subscription(user)

    def _fresh(self, user: AbstractBaseUser) -> UserSubscription:
        if not any(user is known for known in self._known):  # each object keeps a copy of its own
            self._known.append(user)
        self._forget_cached()
        return UserSubscription.objects.select_related("plan", "pending_plan").get(user_id=user.pk)

    def _forget_cached(self) -> None:
        """`user.subscription` of the users that were in our hands is read afresh."""
        for user in self._known:
            user._state.fields_cache.pop("subscription", None)
