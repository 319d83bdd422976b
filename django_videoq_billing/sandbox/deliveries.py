"""Webhooks: one queue of signed deliveries with Stripe's retries, and the switches that make them misbehave."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import ssl
import time
from fnmatch import fnmatchcase
from functools import cache
from typing import TYPE_CHECKING, Any

import httpx

from django_videoq_billing.sandbox.config import DAY
from django_videoq_billing.sandbox.render import render
from django_videoq_billing.sandbox.store import Record

if TYPE_CHECKING:
    from django_videoq_billing.sandbox.box import Sandbox

BACK_OFF = (60, 300, 1800, 7200, 18_000, 36_000)
GIVE_UP_AFTER = 3 * DAY
KIND = "sandbox.delivery"


def signature(body: bytes, secrets: list[str], moment: int) -> str:
    """The `Stripe-Signature` header: one v1 for each secret, two while one is being rotated."""
    signed = f"{moment}.".encode() + body
    marks = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    return ",".join([f"t={moment}", *(f"v1={mark}" for mark in marks)])


@cache
def _tls() -> ssl.SSLContext:
    """One for all clients: each of its own would read the certificates again, for longer than it takes to deliver."""
    return httpx.create_ssl_context(trust_env=False)


class Deliveries:
    """Deliveries are records too (kind `sandbox.delivery`): pending, succeeded, failed (given up) or dropped."""

    def __init__(self, box: Sandbox) -> None:
        self.box = box
        self.store = box.store  # its own: a reset gives the box another one
        self.wake = asyncio.Event()
        self._sending = asyncio.Lock()
        self._waiting: dict[str, Record] = {}

    def stop(self) -> None:
        """Send nothing more: the sandbox was reset."""
        self._waiting.clear()

    def resume(self) -> None:
        """Take up what a loaded state left unsent."""
        self._waiting = {record["id"]: record for record in self.store.where(KIND, status="pending")}

    def enqueue(self, event: Record) -> None:
        for endpoint in self.store.where("webhook_endpoint", status="enabled"):
            if any(fnmatchcase(event["type"], pattern) for pattern in endpoint["enabled_events"]):
                for _ in range(1 + self.box.switches.duplicate):
                    self._add(event, endpoint)
        self._count(event)

    def forget(self, event: Record) -> None:
        """An event's deliveries vanish with it."""
        for delivery in list(self.store.where(KIND, event=event["id"])):
            self._waiting.pop(delivery["id"], None)
            self.store.remove(delivery)

    def redeliver(self, event: Record, endpoints: list[Record]) -> list[Record]:
        """Send an event again, whatever its type and whatever became of it before."""
        made = [self._add(event, endpoint) for endpoint in endpoints]
        self._count(event)
        return made

    def _add(self, event: Record, endpoint: Record) -> Record:
        switches, now = self.box.switches, self.box.now()
        delivery = {
            "id": self.box.ids.new("dlv"),
            "object": KIND,
            "event": event["id"],
            "type": event["type"],
            "endpoint": endpoint["id"],
            "url": endpoint["url"],
            "status": "dropped" if switches.drop == "all" else "pending",
            "created": now,
            "due_at": now + switches.delay_seconds,
            "lose_first": switches.drop == "first",
            "attempts": [],
        }
        event["_undelivered"] = event.get("_undelivered", 0) + 1
        if delivery["status"] == "pending":
            self._waiting[delivery["id"]] = delivery
            self.wake.set()
        return self.store.save(delivery)

    def _count(self, event: Record) -> None:
        event["pending_webhooks"] = sum(waiting["event"] == event["id"] for waiting in self._waiting.values())

    def pending(self) -> list[Record]:
        return list(self._waiting.values())

    def due(self, *, force: bool = False) -> list[Record]:
        if force:
            return self.pending()
        if self.box.switches.paused:
            return []
        return [delivery for delivery in self.pending() if delivery["due_at"] <= self.box.now()]

    async def send_due(self, *, force: bool = False) -> int:
        """Attempt all that is due, in order (or shuffled); `force` takes each pending one once, due or not."""
        if not self.due(force=force):
            return 0
        attempted = 0
        async with self._sending:
            seen: set[str] = set()
            async with self._client() as client:
                while batch := self._pick([d for d in self.due(force=force) if d["id"] not in seen]):
                    seen |= {delivery["id"] for delivery in batch}
                    await asyncio.gather(*(self._attempt(client, delivery) for delivery in batch))
                    attempted += len(batch)
        return attempted

    def _pick(self, due: list[Record]) -> list[Record]:
        if self.box.switches.shuffle:
            self.box.random.shuffle(due)
        return due[: max(1, self.box.switches.concurrency)]

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(verify=_tls(), timeout=self.box.config.delivery_timeout, trust_env=False)

    async def _attempt(self, client: httpx.AsyncClient, delivery: Record) -> None:
        outcome: dict[str, Any] = {"at": self.box.now(), "status": None, "error": None, "answer": ""}
        if delivery["lose_first"] and not delivery["attempts"]:
            outcome["error"] = "lost by switch"
        else:
            await self._post(client, delivery, outcome)
        delivery["attempts"].append(outcome)
        if outcome["status"] is not None and 200 <= outcome["status"] < 300:
            delivery["status"] = "succeeded"
        else:
            self._retry_later(delivery)
        if delivery["status"] != "pending":
            self._waiting.pop(delivery["id"], None)
        self.store.save(delivery)
        event = self.store.get("event", delivery["event"])
        if event is not None:
            self._count(event)
            if delivery["status"] == "succeeded":
                event["_undelivered"] = event["pending_webhooks"]

    async def _post(self, client: httpx.AsyncClient, delivery: Record, outcome: dict[str, Any]) -> None:
        event = self.store.get("event", delivery["event"])
        endpoint = self.store.get("webhook_endpoint", delivery["endpoint"])
        if event is None or endpoint is None:
            outcome["error"] = "the event or the endpoint was deleted"
            return
        body = json.dumps(render(self.store, event), indent=2).encode()
        moment = self.box.now() if self.box.switches.signature_time == "clock" else int(time.time())
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            "Stripe-Signature": signature(body, endpoint["_secrets"], moment),
        }
        try:
            answer = await client.post(delivery["url"], content=body, headers=headers)
        except httpx.HTTPError as error:
            outcome["error"] = str(error) or type(error).__name__
        else:
            outcome |= {"status": answer.status_code, "answer": answer.text[:2000]}

    def _retry_later(self, delivery: Record) -> None:
        failures = len(delivery["attempts"])
        wait = BACK_OFF[min(failures, len(BACK_OFF)) - 1]
        due_at = self.box.now() + wait
        if due_at - delivery["attempts"][0]["at"] > GIVE_UP_AFTER:
            delivery["status"] = "failed"
        else:
            delivery["due_at"] = due_at
