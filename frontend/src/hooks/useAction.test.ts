import { act, renderHook, waitFor } from "@testing-library/react";
import { useAction } from "./useAction";

describe("an action", () => {
  it("is not begun a second time while it is under way, however fast one clicks", async () => {
    let finish: (answer: string) => void = () => {};
    const send = vi.fn(() => new Promise<string>((resolve) => (finish = resolve)));
    const { result } = renderHook(() => useAction(send));
    let answers: Promise<(string | undefined)[]> = Promise.resolve([]);
    act(() => {
      answers = Promise.all([result.current.run(), result.current.run()]);
    });
    expect(result.current.pending).toBe(true);
    expect(send).toHaveBeenCalledTimes(1);
    await act(async () => finish("done"));
    expect(await answers).toEqual(["done", undefined]);
    expect(result.current.pending).toBe(false);
    act(() => void result.current.run());
    expect(send).toHaveBeenCalledTimes(2);
  });

  it("keeps what went wrong until it is forgotten, and looks again afterwards", async () => {
    const afterwards = vi.fn();
    const { result } = renderHook(() => useAction(() => Promise.reject(new Error("no")), afterwards));
    await act(() => result.current.run());
    await waitFor(() => expect(result.current.error).toEqual(new Error("no")));
    expect(afterwards).toHaveBeenCalledTimes(1);
    act(() => result.current.reset());
    expect(result.current.error).toBeNull();
  });
});
