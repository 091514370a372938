// The keyboard: / find, B S order, J K rows, X exit, Shift K halt, G then a letter, ? all keys.
"use strict";
(() => {
  let going = false;
  const find = (selector) => document.querySelector(selector);
  const isTyping = (target) => target.matches("input, select, textarea, [contenteditable]");

  function rows() {
    const found = document.querySelectorAll("main .tbl tbody tr, .watch > li");
    return [...found].filter((row) => row.offsetParent !== null);
  }

  function step(by) {
    const list = rows();
    if (!list.length) return;
    const at = list.findIndex((row) => row.contains(document.activeElement));
    const row = list[at < 0 ? (by > 0 ? 0 : list.length - 1) : Math.min(Math.max(at + by, 0), list.length - 1)];
    const target = row.querySelector("summary, a[href]") || row;
    if (target === row) row.tabIndex = -1;
    target.focus();
  }

  function order(side) {
    const row = document.activeElement.closest("[data-instrument]");
    if (!row || !find("#window")) return;
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

  function escape() {
    const menu = find("details.menu[open]");
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    } else if (!window.pinnacle.closeWindow() && location.hash === "#watchlist") {
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
    if (isTyping(event.target) || find("dialog:modal")) return;
    if (going) { event.preventDefault(); go(event.key.toLowerCase()); return; }
    const action = ACTIONS[event.key];
    if (!action || !find(".shell")) return;
    event.preventDefault();
    action();
  });
})();
