// The keyboard: / find, B S order, J K along the watchlist, X exit, Shift K halt, G then a letter, ? all keys.
"use strict";
(() => {
  let going = false;
  const find = (selector) => document.querySelector(selector);
  const isTyping = (target) => target.matches("input, select, textarea, [contenteditable]");

  const shown = (selector) => [...document.querySelectorAll(selector)].filter((row) => row.offsetParent !== null);

  function choose(row) {
    const target = row.querySelector("summary, a[href]") || row;
    if (target === row) row.tabIndex = -1;
    target.focus();
  }

  function step(by) {
    const list = shown(".watch > li[data-instrument]");
    if (!list.length) return;
    const at = list.findIndex((row) => row.contains(document.activeElement));
    choose(list[at < 0 ? (by > 0 ? 0 : list.length - 1) : Math.min(Math.max(at + by, 0), list.length - 1)]);
  }

  // The chosen row is the one in focus. Its list comes anew: the same instrument stays chosen.
  const inFocus = () => document.activeElement.closest("[data-instrument]");
  let lost = "";
  document.addEventListener("htmx:beforeSwap", (event) => {
    const row = inFocus();
    if (!row || !event.detail.target.contains(row)) return;
    lost = `${row.closest(".watch") ? ".watch" : "main .tbl"} [data-instrument="${CSS.escape(row.dataset.instrument)}"]`;
  });
  document.addEventListener("htmx:afterSettle", () => {
    if (!lost) return;
    const row = document.activeElement === document.body && find(lost);
    lost = "";
    if (row) choose(row);
  });

  // From the search box into what it found, and along it: an arrow, or Enter for the first.
  function walkFound(event) {
    const by = { ArrowDown: 1, ArrowUp: -1, Enter: 1 }[event.key];
    const inBox = event.target.matches("#find");
    if (!by || !(inBox || (event.key !== "Enter" && event.target.closest(".watch .found")))) return false;
    const links = shown(".watch .found").map((row) => row.querySelector("a[href]")).filter(Boolean);
    if (!links.length || (inBox && by < 0)) return false;
    const at = links.findIndex((link) => link.closest("li").contains(event.target));
    event.preventDefault();
    if (at === 0 && by < 0) find("#find").focus();
    else links[Math.min(at + by, links.length - 1)].focus();
    return true;
  }

  function order(side) {
    const row = inFocus();
    if (!row || row.offsetParent === null || !find("#window")) return;
    const key = encodeURIComponent(row.dataset.instrument);
    window.pinnacle.openWindow(`/orders/new/?instrument=${key}&side=${side}`);
  }

  function go(letter) {
    going = false;
    const link = letter && find(`[data-go="${CSS.escape(letter)}"]`);
    if (link) link.click();
  }

  function press(selector) {
    const target = find(selector);
    if (target) target.click();
  }

  // Out of the search box and of what it found: letters are keys again, the watchlist is back.
  function leaveSearch() {
    const box = find("#find");
    const at = document.activeElement;
    if (!box || !(at === box || at.closest(".watch .found"))) return false;
    at.blur();
    if (box.value) {
      box.value = "";
      htmx.trigger(box, "search");
    }
    return true;
  }

  function escape() {
    const menu = find("details.menu[open]");
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    } else if (!leaveSearch() && !window.pinnacle.closeWindow() && location.hash === "#watchlist") {
      location.hash = "#main";
    }
  }

  const ACTIONS = {
    "/": () => { const box = find("#find"); if (!box.offsetParent) location.hash = "#watchlist"; box.focus(); box.select(); },
    "?": () => find("#keys").showModal(),
    b: () => order("BUY"),
    s: () => order("SELL"),
    j: () => step(1),
    k: () => step(-1),
    x: () => press("[data-exit]"),
    K: () => press("[data-halt]"),
    g: () => { going = true; setTimeout(() => { going = false; }, 1500); },
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") { escape(); return; }
    if (find("#find") && walkFound(event)) return;
    if (isTyping(event.target) || find("dialog:modal")) return;
    if (going) { event.preventDefault(); go(event.key.toLowerCase()); return; }
    const action = ACTIONS[event.key];
    if (!action || !find(".shell")) return;
    event.preventDefault();
    action();
  });
})();
