"""The figures of the business over time, as a page: charts, the table behind each, and a CSV file."""

from django_videoq_billing.admin.dashboard.page import DashboardAdmin

__all__ = ["DashboardAdmin"]
