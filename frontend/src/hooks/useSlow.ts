import { useEffect, useState } from "react";

/** Whether something has been going on for longer than people wait without a word. */
export function useSlow(going: boolean, afterMs = 5000): boolean {
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    if (!going) return;
    const timer = setTimeout(() => setSlow(true), afterMs);
    return () => {
      clearTimeout(timer);
      setSlow(false);
    };
  }, [going, afterMs]);
  return going && slow;
}
