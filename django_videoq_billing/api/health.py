"""For probes and for operators: is billing well? No id, no name and no secret is in the answer."""

from __future__ import annotations

import secrets
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest
from rest_framework import serializers
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response

from django_videoq_billing.api.base import SIGNED_IN, OutsideTransactions, PersonalView, refusals
from django_videoq_billing.api.schema import documented
from django_videoq_billing.conf import get_settings
from django_videoq_billing.services import health


class HealthCheckSerializer(serializers.Serializer[Any]):
    status = serializers.CharField(help_text="`ok` or `failing`.")
    figures = serializers.DictField(child=serializers.FloatField())


class HealthSerializer(serializers.Serializer[Any]):
    status = serializers.CharField(help_text="`ok` or `failing`.")
    checks = serializers.DictField(child=HealthCheckSerializer())


class HealthView(OutsideTransactions, PersonalView):
    """200 where every check passes, 503 where one does not. For staff, or by HEALTH_TOKEN.

    With the token neither the session nor the cache is asked: they may be what is away.
    """

    permission_classes = [IsAdminUser]
    has_token = False

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.has_token = _has_token(request)

    def get_authenticators(self) -> list[Any]:
        return [] if self.has_token else super().get_authenticators()

    def get_permissions(self) -> Any:
        return [] if self.has_token else super().get_permissions()

    def get_throttles(self) -> list[Any]:
        return [] if self.has_token else super().get_throttles()

    @documented(
        "billing_health_retrieve", HealthSerializer, refusals(SIGNED_IN), also={503: HealthSerializer}
    )
    def get(self, request: Request) -> Response:
        findings = health.check_all()
        well = all(finding.ok for finding in findings.values())
        checks = {
            name: {"status": _word(finding.ok), "figures": dict(finding.figures)}
            for name, finding in findings.items()
        }
        status = HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE
        return Response({"status": _word(well), "checks": checks}, status=status)


def _word(well: bool) -> str:
    return "ok" if well else "failing"


def _has_token(request: HttpRequest) -> bool:
    wanted = get_settings().HEALTH_TOKEN
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if not wanted or scheme.lower() != "bearer":
        return False
    return secrets.compare_digest(given.strip().encode(), wanted.encode())
