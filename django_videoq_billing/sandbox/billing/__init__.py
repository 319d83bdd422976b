"""What happens to Stripe's objects: charging, invoicing, subscriptions, schedules, checkout and due work.

Lower modules know nothing of upper ones:

    duties                                 what is due when, for the agenda
    preview
    checkout | schedules
    cycle | subscribing                    renew, end a trial, cancel; create
    subscriptions                          change
    collection                             take an invoice's money; the subscription's status follows
    statuses                               how a subscription's status changes, and why
    invoicing | money_back
    charging
    changes | lines | periods              arithmetic, no side effects
"""
