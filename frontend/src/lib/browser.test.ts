import { leaveFor, loginAddress, takeParameter } from "./browser";

describe("leaving the page", () => {
  it("goes to web addresses alone", () => {
    expect(() => leaveFor("javascript:alert(1)")).toThrow();
  });

  it("is over for the button that did it only when the user comes back", async () => {
    const assign = vi.fn();
    vi.stubGlobal("location", { ...window.location, assign });
    const back = leaveFor("https://pay.example.com/");
    expect(assign).toHaveBeenCalledWith("https://pay.example.com/");
    window.dispatchEvent(new Event("pageshow"));
    await back;
  });
});

describe("addresses", () => {
  it("of the login come back to the page", () => {
    window.history.replaceState(null, "", "/billing/?a=1&b=2");
    expect(loginAddress("/login/?theme=x")).toBe("/login/?theme=x&next=%2Fbilling%2F%3Fa%3D1%26b%3D2");
  });

  it("lose a parameter that was read", () => {
    window.history.replaceState(null, "", "/billing/?a=1&from=portal#x");
    expect(takeParameter("from")).toBe("portal");
    expect(takeParameter("from")).toBeNull();
    expect(window.location.href).toContain("/billing/?a=1#x");
  });
});
