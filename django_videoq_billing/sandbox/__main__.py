import sys

from django_videoq_billing.sandbox.cli import main

if __name__ == "__main__":
    sys.exit(main())
