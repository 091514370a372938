// What floats over a page: the order window, menus and dialogs. Without script they are pages.
"use strict";
(() => {
  const pane = () => document.getElementById("window");
  let opener = null;
  let wanted = null; // the window that is on its way: its address, and what was typed for it
  let isAsking = false;

  async function openWindow(url) {
    if (!wanted) opener = document.activeElement;
    wanted = { url, typed: "" };
    if (isAsking) return; // the loop below goes on to the window that was asked for last
    isAsking = true;
    try {
      let asked = null;
      let before = null;
      do {
        asked = wanted;
        before = pane().firstElementChild;
        // Settled at once: what is typed next must already find a window that listens.
        await htmx.ajax("GET", asked.url, { target: "#window", swap: "innerHTML settle:0ms" });
      } while (wanted && wanted !== asked);
      if (!wanted) pane().replaceChildren();
      else if (pane().firstElementChild !== before) show(asked.typed); // otherwise refused: the page says why
    } finally {
      isAsking = false;
      wanted = null;
    }
  }

  function show(typed) {
    if (!pane().open) pane().show();
    const find = (selector) => pane().querySelector(selector);
    const heading = find("[id^=h-]");
    if (heading) pane().setAttribute("aria-labelledby", heading.id);
    const quantity = typed && find("input[name=quantity]:not([type=hidden])");
    const first = quantity || find(".is-invalid") || find("[autofocus]") || find("input:not([type=hidden])");
    if (first) first.focus();
    if (!quantity) return;
    quantity.select();
    document.execCommand("insertText", false, typed); // counts as typed by the person, as it was
  }

  // What is typed before the window is there is kept for its quantity. Enter waits for a person
  // who sees the window: pressed before, or still held down from before, it sends nothing.
  function keepKey(event) {
    const { key } = event;
    if (key === "Enter" && event.repeat && pane()?.contains(event.target)) event.preventDefault();
    if (!wanted || event.ctrlKey || event.metaKey || event.altKey) return;
    const isInField = event.target.matches("input, select, textarea");
    if (key === "Escape") closeWindow();
    else if (key !== "Enter") {
      if (isInField || (key.length > 1 && key !== "Backspace")) return;
      if (/^[bs]$/.test(key) && !event.repeat) return; // the other side after all
      if (key === "Backspace") wanted.typed = wanted.typed.slice(0, -1);
      else if (/[^a-z ]/i.test(key)) wanted.typed += key;
    }
    event.preventDefault();
    event.stopPropagation();
  }
  document.addEventListener("keydown", keepKey, true);

  function closeWindow() {
    wanted = null;
    if (!pane() || !pane().open) return false;
    pane().close();
    pane().replaceChildren();
    if (opener && opener.isConnected) opener.focus();
    return true;
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-window]");
    if (link && pane() && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      openWindow(link.href);
    }
    const close = event.target.closest("[data-window-close]");
    if (close && pane() && pane().contains(close)) {
      event.preventDefault();
      closeWindow();
    }
    const dialog = event.target.closest("[data-dialog]");
    if (dialog) {
      const target = document.getElementById(dialog.dataset.dialog);
      if (target) { event.preventDefault(); target.showModal(); }
    }
    document.querySelectorAll("details.menu[open]").forEach((menu) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
  });

  // A price or a quantity that the window offers is taken over into its field.
  document.addEventListener("click", (event) => {
    const fix = event.target.closest("button.fix");
    if (!fix) return;
    const field = fix.form && fix.form.querySelector(`input[name="${CSS.escape(fix.name)}"]`);
    if (!field) return;
    event.preventDefault();
    field.value = fix.value;
    field.dispatchEvent(new Event("change", { bubbles: true }));
    field.focus();
    field.select();
  });

  // Arrow keys step a quantity by its lot and a price by its tick.
  document.addEventListener("keydown", (event) => {
    const step = Number(event.target.dataset && event.target.dataset.step);
    if (!step || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
    event.preventDefault();
    const decimals = (event.target.dataset.step.split(".")[1] || "").length;
    const now = Number(event.target.value.replaceAll(",", "")) || 0;
    const next = Math.max(step, now + (event.key === "ArrowUp" ? step : -step));
    event.target.value = next.toFixed(decimals);
    event.target.select();
    event.target.dispatchEvent(new Event("input", { bubbles: true }));
  });

  // A button that says what keeps the order back sends nothing: it leads to the field, or asks
  // again. What is typed meanwhile lifts that, since only the server knows what it makes of it.
  document.addEventListener("input", (event) => {
    const form = event.target.form;
    const send = form && form.matches("[data-previewed]") && form.querySelector("[aria-disabled]");
    if (send) send.removeAttribute("aria-disabled");
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-previewed]") || !form.querySelector("[aria-disabled]")) return;
    event.preventDefault();
    event.stopPropagation();
    const words = form.querySelector(".invalid-feedback[id]:not(:empty)");
    const field = words && form.querySelector(`[aria-describedby~="${CSS.escape(words.id)}"]`);
    if (field) field.focus();
    htmx.trigger(form, "change");
  }, true);

  // An answer that did not come, or says that it failed, must not look like nothing happened.
  function say(words) {
    const notice = document.createElement("div");
    notice.className = "notice bad";
    notice.setAttribute("role", "alert");
    notice.append(Object.assign(document.createElement("span"), { textContent: "!" }), words);
    const place = document.querySelector("#window[open] .general") || document.getElementById("messages");
    if (place) place.replaceChildren(notice);
  }

  const isOrder = (event) => event.detail.elt.matches("form.ticket");
  const UNSURE = "No answer came, so the order may have been taken. Send it again: one window never writes two orders.";
  document.addEventListener("htmx:sendError", (event) => {
    if (isOrder(event)) say(UNSURE);
    else if (event.detail.requestConfig.verb === "post") say("No answer came from Pinnacle. Look whether it was done, and try again.");
  });
  document.addEventListener("htmx:responseError", (event) => {
    const status = event.detail.xhr.status;
    if (status === 403) say("Your role does not allow this, or this page has grown too old: load it anew.");
    else if (isOrder(event)) say(UNSURE);
    else if (event.detail.requestConfig.verb === "post") say(`That did not work (${status}). Load the page anew to see what is so.`);
  });

  // Signed out elsewhere: the door opens as a page, not inside a part of this one.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (!event.detail.xhr.responseURL.includes("/accounts/login/")) return;
    event.detail.shouldSwap = false;
    location.reload();
  });

  window.pinnacle = { openWindow, closeWindow };
})();
