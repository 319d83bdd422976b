import { useCallback, useEffect, useRef, useState } from "react";

export interface Action<Input extends unknown[], Answer> {
  /** Does it, unless it is being done already; resolves to undefined where it failed or was not begun. */
  run: (...input: Input) => Promise<Answer | undefined>;
  pending: boolean;
  error: unknown;
  reset: () => void;
}

/** Something that is done on a click, never twice at a time. `afterwards` follows a failure, too. */
export function useAction<Input extends unknown[], Answer>(
  act: (...input: Input) => Promise<Answer>,
  afterwards?: () => unknown,
): Action<Input, Answer> {
  const [state, setState] = useState<{ pending: boolean; error: unknown }>({ pending: false, error: null });
  const busy = useRef(false); // at once, where the state follows with the next rendering
  const latest = useRef({ act, afterwards });
  useEffect(() => {
    latest.current = { act, afterwards };
  });
  const run = useCallback(async (...input: Input) => {
    if (busy.current) return undefined;
    busy.current = true;
    setState({ pending: true, error: null });
    try {
      const answer = await latest.current.act(...input);
      setState({ pending: false, error: null });
      return answer;
    } catch (error) {
      setState({ pending: false, error });
      return undefined;
    } finally {
      busy.current = false;
      latest.current.afterwards?.();
    }
  }, []);
  const reset = useCallback(() => setState({ pending: false, error: null }), []);
  return { run, reset, ...state };
}
