import { act, screen, waitFor, within } from "@testing-library/react";
import { ok, refuse } from "../../../test/api";
import { usage } from "../../../test/data";
import { expectAccessible, show, wellApi } from "../../../test/render";
import type { UsageRecord } from "../../../types/billing";
import { UsageDashboard } from "../UsageDashboard";

const reached = (resource: "video" | "transcription", upTo: number) =>
  [80, 90, 100].map((threshold) => ({ resource, threshold, reached: threshold <= upTo }));

const showUsage = (changes: Partial<UsageRecord>, past: UsageRecord[] = []) => {
  const api = wellApi({ "GET billing/usage": ok(usage(changes)), "GET billing/usage/history": ok(past) });
  return { api, ...show(<UsageDashboard />) };
};

describe("usage", () => {
  it("is said in figures and as a bar", async () => {
    showUsage({});
    const bar = await screen.findByRole("progressbar", { name: "Videos" });
    expect(bar).toHaveAttribute("aria-valuenow", "24");
    expect(bar).toHaveAttribute("aria-valuetext", "12 of 50 videos");
    expect(screen.getByText("45.5 of 300 minutes")).toBeVisible();
    expect(screen.getByText("Nov 1 – Dec 1")).toBeVisible();
    expect(
      screen.getByText(/Resets on December 1, 2026\. Last counted on Nov 26, 2026, 10:00/),
    ).toBeVisible();
    await expectAccessible();
  });

  it.each([
    [80, "80% or more is used."],
    [90, "90% or more is used."],
    [100, "The limit is reached."],
  ])("warns at %i percent", async (threshold, sentence) => {
    showUsage({ warnings: reached("video", threshold) });
    expect(await screen.findByText(sentence)).toBeVisible();
    expect(screen.getAllByText(/is used|is reached/)).toHaveLength(1);
  });

  it("past the limit is said, and fills the bar", async () => {
    showUsage({
      video_count: 51,
      video_usage_percentage: 102,
      overage: { video_count: 1, transcription_seconds: 150 },
    });
    expect(await screen.findByText("1 video went past the limit.")).toBeVisible();
    expect(screen.getByText("2.5 minutes went past the limit.")).toBeVisible();
    expect(screen.getByRole("progressbar", { name: "Videos" })).toHaveAttribute("aria-valuenow", "100");
  });

  it("without a limit has no bar", async () => {
    showUsage({
      video_limit: null,
      video_usage_percentage: null,
      transcription_limit_minutes: null,
      transcription_usage_percentage: null,
    });
    expect(await screen.findAllByText(/Unlimited/)).toHaveLength(2);
    expect(screen.queryByRole("progressbar")).not.toBeInTheDocument();
  });

  it("of past periods is a picture and a table", async () => {
    const past = Array.from({ length: 3 }, (_, index) =>
      usage({
        billing_period_start: `2026-${String(10 - index).padStart(2, "0")}-01T00:00:00Z`,
        video_count: [40, 0, 1234][index] ?? 0,
      }),
    );
    const { user, api } = showUsage({}, past);
    expect(
      await screen.findByRole("img", { name: /Videos per period: highest 1,234, latest 12\./ }),
    ).toBeVisible();
    expect(api.asked("GET billing/usage/history?limit=11")).toHaveLength(1);
    await user.click(screen.getByText("Show as a table"));
    const rows = within(screen.getByRole("table")).getAllByRole("row");
    expect(rows.map((row) => row.textContent)).toEqual([
      "Period fromVideosMinutes transcribed",
      "Aug 1, 20261,23445.5",
      "Sep 1, 2026045.5",
      "Oct 1, 20264045.5",
      "Nov 1, 20261245.5",
    ]);
    await expectAccessible();
  });

  it("says where earlier periods will be", async () => {
    showUsage({});
    expect(await screen.findByText(/Earlier periods appear here/)).toBeVisible();
  });

  it("is none yet where the API has none", async () => {
    wellApi({ "GET billing/usage": refuse(404, "no_usage", "None.") });
    show(<UsageDashboard />);
    expect(await screen.findByText("Nothing has been used yet.")).toBeVisible();
  });

  it("is read anew each minute, and when the window is looked at again", async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    const { api } = showUsage({});
    await screen.findByText("12 of 50 videos");
    api.answer("GET billing/usage", ok(usage({ video_count: 13 })));
    await act(() => vi.advanceTimersByTimeAsync(61_000));
    expect(await screen.findByText("13 of 50 videos")).toBeVisible();
    api.answer("GET billing/usage", ok(usage({ video_count: 14 })));
    act(() => {
      window.dispatchEvent(new Event("visibilitychange"));
    });
    expect(await screen.findByText("14 of 50 videos")).toBeVisible();
  });

  it("keeps its figures where the API cannot be asked again", async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    const { api } = showUsage({});
    await screen.findByText("12 of 50 videos");
    api.answer("GET billing/usage", refuse(503, "usage_unavailable", "Later."));
    await act(() => vi.advanceTimersByTimeAsync(61_000));
    await waitFor(() => expect(api.asked("GET billing/usage").length).toBeGreaterThan(1));
    expect(screen.getByText("12 of 50 videos")).toBeVisible();
  });

  it("of past periods may fail alone", async () => {
    wellApi({ "GET billing/usage/history": refuse(400, "invalid_request", "No.") });
    show(<UsageDashboard />);
    expect(await screen.findByText("No.")).toBeVisible();
    expect(screen.getByText("12 of 50 videos")).toBeVisible();
  });

  it("that takes long to come gets a word", async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    wellApi({ "GET billing/usage": "silent" });
    show(<UsageDashboard />);
    expect(screen.getByText("Loading…")).toBeInTheDocument();
    await act(() => vi.advanceTimersByTimeAsync(5100));
    expect(screen.getByText(/This takes longer than usual/)).toBeVisible();
  });
});
