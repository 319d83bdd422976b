"""What happens to Stripe's objects: charging, invoicing, subscriptions, schedules, checkout and due work.

Lower modules know nothing of upper ones (the contract in pyproject.toml holds them to it):

    duties                                     what is due when, for the agenda
    preview                                    what an invoice would be
    checkout | schedules                       the checkout page's moves; phases that take turns
    cycle | subscribing                        renew, end a trial, resume, cancel now; create
    subscriptions                              change
    collection                                 take an invoice's money; retries
    statuses                                   how a subscription's status changes, and why
    pending                                    changes that wait for their payment
    invoicing | money_back                     an invoice's own life; refunds and disputes
    changes | charging | discounts | methods   prorations; one payment attempt; coupons; cards
    lines | periods                            arithmetic
"""
