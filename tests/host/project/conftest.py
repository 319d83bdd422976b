pytest_plugins = ["django_videoq_billing.testing.plugin"]
