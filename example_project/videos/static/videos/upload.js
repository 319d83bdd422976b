// Asks before anything is sent, shows how far the upload is, and sends no file twice. Without this script the page works
// all the same: the server asks, counts and answers by itself.

function prepare() {
  document.querySelector("form[data-check]")?.addEventListener("submit", (event) => {
    event.preventDefault();
    upload(event.currentTarget);
  });
}

async function upload(form) {
  const button = form.querySelector("button");
  button.disabled = true;
  const refusal = await refusalOf(form);
  if (refusal) {
    tell(form, refusal.reason, refusal.upgrade_url);
    button.disabled = false;
  } else {
    send(form, button);
  }
}

/** What the API says against an upload, or null: where it cannot be asked, the upload itself will tell. */
async function refusalOf(form) {
  try {
    const answer = await fetch(form.dataset.check, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": form.elements.csrfmiddlewaretoken.value },
      body: JSON.stringify({ action: "upload_video" }),
    });
    const told = await answer.json();
    return told.allowed === false ? told : null;
  } catch {
    return null;
  }
}

/** Fetch tells nothing of the way up; XMLHttpRequest does. */
function send(form, button) {
  const request = new XMLHttpRequest();
  const area = form.querySelector(".sending");
  const [bar, words] = area.children;
  area.hidden = false;
  tell(form, "");
  words.textContent = form.dataset.uploading;
  request.upload.addEventListener("progress", ({ loaded, total }) => {
    bar.value = (loaded / total) * 100;
  });
  request.upload.addEventListener("load", () => {
    bar.removeAttribute("value");
    words.textContent = form.dataset.working;
  });
  request.addEventListener("load", () => show(request));
  request.addEventListener("error", () => {
    area.hidden = true;
    button.disabled = false;
    tell(form, form.dataset.lost);
  });
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "text/html");
  request.send(new FormData(form));
}

/** The answer is the page that a browser without this script would have shown. */
function show(request) {
  const page = new DOMParser().parseFromString(request.responseText, "text/html");
  if (request.responseURL !== location.href) history.pushState(null, "", request.responseURL);
  document.title = page.title;
  document.body.replaceWith(page.body);
  (document.querySelector("[autofocus]") ?? document.querySelector("main")).focus();
  scrollTo(0, 0);
  prepare();
}

function tell(form, reason, upgradeUrl) {
  const note = form.querySelector("[role=alert][hidden], [role=alert][data-told]");
  note.hidden = !reason;
  note.dataset.told = "";
  note.replaceChildren(reason);
  if (upgradeUrl) {
    const link = Object.assign(document.createElement("a"), { href: upgradeUrl, textContent: form.dataset.plans });
    note.append(" ", link);
  }
}

addEventListener("popstate", () => location.reload());
prepare();
