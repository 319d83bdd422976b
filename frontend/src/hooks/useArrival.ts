import { useEffect, useState } from "react";
import { isFree, isRunning } from "../lib/subscription";
import { isApiError } from "../services/errors";
import type { UserSubscription } from "../types/billing";
import { useSubscription, useSubscriptionActions } from "./useBilling";

export interface ArrivalTimes {
  /** How often the subscription is read, in milliseconds. */
  poll: number;
  /** When to ask Stripe itself, as the webhook is late. */
  sync: number[];
  /** When to say that it takes long. */
  late: number;
}

export interface Arrival {
  /** "unknown": the checkout is not this user's. */
  state: "waiting" | "late" | "arrived" | "unknown";
  subscription: UserSubscription | null | undefined;
  error: unknown;
  checking: boolean;
  checkAgain: () => void;
}

const TIMES: ArrivalTimes = { poll: 2000, sync: [4000, 15_000, 40_000], late: 30_000 };

/** Whether the plan of a checkout holds already. Reads the subscription until it does. */
export function useArrival(sessionId: string | null, times: ArrivalTimes = TIMES): Arrival {
  const [done, setDone] = useState(false);
  const [late, setLate] = useState(false);
  const { subscription, error } = useSubscription({ refetchInterval: done ? false : times.poll });
  const { sync } = useSubscriptionActions();
  const arrived = Boolean(subscription && !isFree(subscription.plan) && isRunning(subscription));
  const unknown = isApiError(sync.error, "no_subscription");
  const signedOut = isApiError(error) && error.status === 401;
  const over = arrived || unknown || signedOut;

  useEffect(() => setDone(over), [over]);

  useEffect(() => {
    if (over) return;
    const timers = [
      ...times.sync.map((after) => setTimeout(() => sync.run(sessionId), after)),
      setTimeout(() => setLate(true), times.late),
    ];
    return () => timers.forEach(clearTimeout);
  }, [over, sessionId, sync.run, times]);

  return {
    state: arrived ? "arrived" : unknown ? "unknown" : late || signedOut ? "late" : "waiting",
    subscription,
    error: error ?? sync.error,
    checking: sync.pending,
    checkAgain: () => sync.run(sessionId),
  };
}
