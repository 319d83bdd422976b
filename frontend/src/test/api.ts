import { vi } from "vitest";

export interface Call {
  method: string;
  path: string;
  body: unknown;
  headers: Record<string, string>;
}

type Answer = { status: number; body: unknown; headers?: Record<string, string> } | "unreachable" | "silent";
type Handler = (call: Call) => Answer | Promise<Answer>;

export const ok = (body: unknown): Answer => ({ status: 200, body });

export const refuse = (
  status: number,
  error: string,
  message: string,
  details: object | null = null,
  headers: Record<string, string> = {},
): Answer => ({ status, body: { error, message, details }, headers });

/** The API at the edge of the network: answers by "METHOD path", and remembers what was asked. */
export function fakeApi(answers: Record<string, Answer | Handler>) {
  const calls: Call[] = [];
  const routes = { ...answers };
  vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
    const method = init.method ?? "GET";
    const call: Call = {
      method,
      path: url.replace("/api/", ""),
      body: init.body ? JSON.parse(String(init.body)) : undefined,
      headers: init.headers as Record<string, string>,
    };
    calls.push(call);
    const route = routes[`${method} ${call.path}`] ?? routes[`${method} ${call.path.split("?")[0]}`];
    if (!route) throw new Error(`Nobody answers ${method} ${call.path}`);
    const answer = typeof route === "function" ? await route(call) : route;
    if (answer === "unreachable") throw new TypeError("Failed to fetch");
    if (answer === "silent") return new Promise<Response>(() => {});
    return new Response(JSON.stringify(answer.body), {
      status: answer.status,
      ...(answer.headers ? { headers: answer.headers } : {}),
    });
  });
  return {
    calls,
    /** Answer differently from now on. */
    answer: (route: string, with_: Answer | Handler) => {
      routes[route] = with_;
    },
    asked: (route: string) => calls.filter((call) => `${call.method} ${call.path}` === route),
  };
}
