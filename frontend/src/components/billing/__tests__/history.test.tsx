import { screen, within } from "@testing-library/react";
import { type Call, ok, refuse } from "../../../test/api";
import { payment } from "../../../test/data";
import { expectAccessible, show, wellApi } from "../../../test/render";
import BillingHistoryTable from "../BillingHistoryTable";

const answerPage = ({ path }: Call) => {
  const query = new URLSearchParams(path.split("?")[1]);
  const offset = Number(query.get("offset"));
  const length = Math.min(Number(query.get("limit")), 23 - offset);
  return ok({
    total: 23,
    transactions: Array.from({ length }, (_, index) =>
      payment({ id: offset + index, description: `Payment ${offset + index}` }),
    ),
  });
};

describe("the billing history", () => {
  it("has a row for each payment, with its invoice", async () => {
    wellApi();
    show(<BillingHistoryTable />);
    const row = (await screen.findAllByRole("row"))[1] as HTMLElement;
    expect(within(row).getByText("Nov 1, 2026")).toBeVisible();
    expect(within(row).getAllByText("Paid")[0]).toBeVisible();
    expect(within(row).getByText("$12.00")).toBeVisible();
    const link = within(row).getByRole("link", { name: /View the invoice of Nov 1, 2026, \$12.00/ });
    expect(link).toHaveAttribute("href", "https://invoice.example.com/1");
    expect(link).toHaveAttribute("rel", "noopener noreferrer");
    await expectAccessible();
  });

  it("has no link where there is no invoice, or no web address", async () => {
    wellApi({
      "GET billing/history": ok({
        total: 1,
        transactions: [payment({ invoice_url: null, invoice_pdf: "javascript:alert(1)" })],
      }),
    });
    show(<BillingHistoryTable />);
    await screen.findByText("Nov 1, 2026");
    expect(screen.queryByRole("link")).not.toBeInTheDocument();
  });

  it("is turned page by page", async () => {
    wellApi({ "GET billing/history": answerPage });
    const { user } = show(<BillingHistoryTable />);
    expect(await screen.findByText("1–10 of 23")).toBeVisible();
    expect(screen.getByRole("button", { name: "Newer" })).toBeDisabled();
    await user.click(screen.getByRole("button", { name: "Older" }));
    expect((await screen.findAllByText("Payment 10"))[0]).toBeVisible();
    await user.click(screen.getByRole("button", { name: "Older" }));
    expect((await screen.findAllByText("Payment 22"))[0]).toBeVisible();
    expect(screen.getByText("21–23 of 23")).toBeVisible();
    expect(screen.getByRole("button", { name: "Older" })).toBeDisabled();
    await user.click(screen.getByRole("button", { name: "Newer" }));
    expect((await screen.findAllByText("Payment 10"))[0]).toBeVisible();
  });

  it("says where invoices will be", async () => {
    wellApi({ "GET billing/history": ok({ total: 0, transactions: [] }) });
    show(<BillingHistoryTable />);
    expect(await screen.findByText(/No payments yet/)).toBeVisible();
  });

  it("says what the API refused", async () => {
    wellApi({ "GET billing/history": refuse(403, "permission_denied", "Not you.") });
    show(<BillingHistoryTable />);
    expect(await screen.findByText("Not you.")).toBeVisible();
  });
});
