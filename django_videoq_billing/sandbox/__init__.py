"""A local, stateful Stripe that the real `stripe` SDK and dj-stripe talk to over HTTP.

For development and tests only. It is its own process and knows nothing of the package around it:

    python -m django_videoq_billing.sandbox --port 12111 --api-key sk_test_localsandbox0000000000000

Point the SDK at it with `stripe.StripeClient(key, base_addresses={"api": "http://127.0.0.1:12111"})`, dj-stripe
with `STRIPE_API_HOST`. The console is at `/_sandbox/`; `django_videoq_billing.sandbox.control` documents the
control API that tests drive it with. Needs the `[sandbox]` extra; importing this module alone needs nothing.

How the parts hang together, lower ones knowing nothing of upper ones:

    server                     one Starlette application, its background loops
    control | pages | api      control API, pages for people, Stripe's HTTP API
    billing                    what happens: charging, invoicing, subscriptions, schedules, due work
    objects                    what each Stripe object looks like when it is born
    box                        the sandbox itself: store, clock, ids, events, deliveries, switches
"""
