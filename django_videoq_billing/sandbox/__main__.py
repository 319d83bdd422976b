import sys

from django_videoq_billing.sandbox.cli import main

sys.exit(main())
