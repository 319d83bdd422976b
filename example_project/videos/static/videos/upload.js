// A second click must not upload the file a second time. Without this script the page works all the same.
const form = document.querySelector("form[data-uploading]");
const button = form.querySelector("button");
const label = button.textContent;
form.addEventListener("submit", () => {
  button.disabled = true;
  button.textContent = form.dataset.uploading;
});
window.addEventListener("pageshow", () => {
  button.disabled = false;
  button.textContent = label;
});
