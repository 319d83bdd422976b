"use strict";

// Groups the card number while it is typed, and lets one click on a test card fill in the form.
const field = (name) => document.getElementById(name);

const grouped = (digits) => digits.replace(/\D/g, "").slice(0, 19).replace(/(.{4})(?=.)/g, "$1 ");

field("number")?.addEventListener("input", (event) => {
  event.target.value = grouped(event.target.value);
});

field("expiry")?.addEventListener("input", (event) => {
  const digits = event.target.value.replace(/\D/g, "").slice(0, 4);
  if (event.inputType !== "deleteContentBackward") {
    event.target.value = digits.length > 1 ? `${digits.slice(0, 2)} / ${digits.slice(2)}` : digits;
  }
});

for (const chip of document.querySelectorAll("[data-number]")) {
  chip.addEventListener("click", () => {
    const values = {
      number: grouped(chip.dataset.number),
      expiry: "12 / 34",
      cvc: chip.dataset.brand === "amex" ? "1234" : "123",
      name: field("name").value || "Sandbox Person",
    };
    if (field("email") && !field("email").value) values.email = "person@example.com";
    for (const [name, value] of Object.entries(values)) field(name).value = value;
    chip.closest("main").querySelector("button.primary").focus();
  });
}
