// The login page: sends the key, and goes where somebody wanted to go.
"use strict";

const form = document.getElementById("form");
const key = document.getElementById("key");
const problem = document.getElementById("problem");
const button = form.querySelector("button");
let sending = false;

/** A place of the dashboard; whatever else the address says is not gone to. */
function next() {
  const wanted = new URLSearchParams(location.search).get("next") ?? "";
  const place = new URL(wanted, location.origin);
  const inside =
    place.pathname === "/observability" ||
    place.pathname.startsWith("/observability/");
  const here =
    place.origin === location.origin &&
    inside &&
    place.pathname !== location.pathname;
  return here ? place.pathname + place.search + place.hash : "/observability";
}

function busy(is) {
  sending = is;
  button.setAttribute("aria-disabled", String(is));
}

function refuse(text) {
  busy(false);
  problem.textContent = text;
  key.setAttribute("aria-invalid", "true");
  key.select();
  key.focus();
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (sending) return;
  busy(true);
  problem.textContent = "";
  key.removeAttribute("aria-invalid");
  let response;
  try {
    response = await fetch("/observability/api/session", {
      method: "POST",
      credentials: "same-origin",
      headers: {
        "content-type": "application/json",
        "X-Factorial-Dashboard": "1",
      },
      body: JSON.stringify({ key: key.value }),
    });
  } catch {
    refuse(
      "The dashboard cannot be reached. Check the network, then try again.",
    );
    return;
  }
  if (response.ok) {
    location.replace(next());
  } else if (response.status === 401) {
    refuse("This key is not known, was revoked or has expired.");
  } else {
    const body = await response.json().catch(() => null);
    refuse(
      body?.detail ??
        body?.title ??
        `The dashboard answered with status ${response.status}.`,
    );
  }
});
