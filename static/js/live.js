// One stream a page: prices are patched in place, parts that changed ask for themselves again.
"use strict";
(() => {
  const IN = "en-IN";
  const MINUS = "\u2212";
  const formats = new Map();
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  function format(number, decimals) {
    if (!formats.has(decimals)) {
      const digits = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
      formats.set(decimals, new Intl.NumberFormat(IN, digits));
    }
    return formats.get(decimals).format(Math.abs(number));
  }

  function signed(number, decimals) {
    const text = format(number, decimals);
    if (!/[1-9]/.test(text)) return text;
    return (number < 0 ? MINUS : "+") + text;
  }

  // A cell keeps the decimals that the server wrote into it, as the instrument's tick has them.
  const decimalsIn = (text) => Math.max(2, (text.split(".")[1] || "").trim().length);

  function write(cell, text) {
    const node = [...cell.childNodes].find((each) => each.nodeType === Node.TEXT_NODE);
    if (node) node.nodeValue = text;
    else cell.prepend(text);
  }

  function firstText(cell) {
    const node = [...cell.childNodes].find((each) => each.nodeType === Node.TEXT_NODE);
    return node ? node.nodeValue.trim() : "";
  }

  function tint(cell, number) {
    cell.classList.toggle("up", number > 0);
    cell.classList.toggle("down", number < 0);
  }

  function patchPrice(cell, price) {
    const before = firstText(cell);
    const text = format(price, decimalsIn(before));
    cell.classList.remove("stale");
    if (text === before) return;
    const old = Number(before.replaceAll(",", ""));
    write(cell, text);
    if (Number.isNaN(old)) return;
    cell.classList.remove("tick-up", "tick-down");
    void cell.offsetWidth; // so that two ticks the same way are two flashes
    cell.classList.add(price > old ? "tick-up" : "tick-down");
  }

  function patchQuote(key, quote) {
    const name = CSS.escape(key);
    const price = Number(quote.p);
    all(`[data-q="${name}"]`).forEach((cell) => patchPrice(cell, price));
    if (quote.c === null || quote.c === undefined) return;
    const [change, percent] = [Number(quote.c), Number(quote.cp)];
    all(`[data-q-change="${name}"]`).forEach((cell) => {
      write(cell, `${signed(change, 2)} · ${signed(percent, 2)}%`);
      tint(cell, change);
    });
    all(`[data-q-percent="${name}"]`).forEach((cell) => {
      write(cell, `${signed(percent, 2)}%`);
      tint(cell, percent);
    });
  }

  // What the depth of a row says besides its price; a side on which nobody quotes is a dash.
  const clock = (text) => new Date(text).toLocaleTimeString("en-GB", { timeZone: "Asia/Kolkata" });
  const FACTS = {
    high: "price", low: "price", bid: "price", ask: "price",
    bid_quantity: "count", ask_quantity: "count", volume: "count", t: "time",
  };

  function factText(kind, value, decimals) {
    if (value === null) return "\u2013";
    if (kind === "time") return clock(value);
    return format(Number(value), kind === "count" ? 0 : decimals);
  }

  function patchDepth(key, quote) {
    all(`[data-depth="${CSS.escape(key)}"]`).forEach((depth) => {
      const high = depth.querySelector('[data-fact="high"]');
      const decimals = decimalsIn(high ? high.textContent : "");
      all("[data-fact]", depth).forEach((cell) => {
        const name = cell.dataset.fact;
        if (quote[name] !== undefined) cell.textContent = factText(FACTS[name], quote[name], decimals);
      });
    });
  }

  document.addEventListener("animationend", (event) => {
    if (event.animationName.startsWith("tick-")) {
      event.target.classList.remove("tick-up", "tick-down");
    }
  });

  // News comes in bursts: each kind refreshes its parts once, a moment after the first word.
  const waiting = new Set();
  function announce(kind) {
    if (!waiting.size) setTimeout(refresh, 150);
    waiting.add(kind);
  }

  function refresh() {
    const kinds = [...waiting];
    waiting.clear();
    all("[data-live]").forEach((part) => {
      const listens = part.dataset.live.split(" ");
      if (!kinds.some((kind) => listens.includes(kind))) return;
      if (part.contains(document.activeElement) && isTyping()) return;
      htmx.trigger(part, "live");
    });
  }

  const isTyping = () => document.activeElement.matches("input:not([type=checkbox]), select, textarea");

  let source = null;
  let listening = "";

  function keysOnPage() {
    return [...new Set(all("[data-q]").map((cell) => cell.dataset.q))].sort().slice(0, 200);
  }

  function listen() {
    const keys = keysOnPage().join(",");
    if (source && keys === listening) return;
    if (source) source.close();
    listening = keys;
    source = new EventSource(`/stream/?keys=${encodeURIComponent(keys)}`);
    source.addEventListener("part", (event) => announce(JSON.parse(event.data).kind));
    source.addEventListener("quotes", (event) => {
      const quotes = JSON.parse(event.data);
      Object.entries(quotes).forEach(([key, quote]) => {
        patchQuote(key, quote);
        patchDepth(key, quote);
      });
      document.dispatchEvent(new CustomEvent("pinnacle:quotes", { detail: quotes }));
    });
    source.addEventListener("open", () => connected(true));
    source.addEventListener("error", () => connected(false));
  }

  // Short gaps are nothing; after five seconds without a stream the page says that it stands still.
  let gap = 0;
  function connected(isLive) {
    clearTimeout(gap);
    if (isLive) {
      if (document.body.dataset.stream === "lost") all("[data-live]").forEach((part) => htmx.trigger(part, "live"));
      document.body.dataset.stream = "live";
    } else {
      gap = setTimeout(() => { document.body.dataset.stream = "lost"; }, 5000);
    }
  }

  function countDown() {
    all("[data-countdown]").forEach((cell) => {
      const left = Math.max(0, Math.floor((Date.parse(cell.dataset.countdown) - Date.now()) / 1000));
      const two = (number) => String(number).padStart(2, "0");
      cell.textContent = `${Math.floor(left / 3600)}:${two(Math.floor(left / 60) % 60)}:${two(left % 60)}`;
    });
  }

  function countUp() {
    all("[data-seconds-since]").forEach((cell) => {
      const passed = (Date.now() - Date.parse(cell.dataset.secondsSince)) / 1000;
      cell.textContent = Math.max(0, Math.floor(passed));
    });
  }

  function drawDay() {
    all("[data-day-from]").forEach((line) => {
      const [from, to] = [Date.parse(line.dataset.dayFrom), Date.parse(line.dataset.dayTo)];
      const share = Math.min(Math.max((Date.now() - from) / (to - from), 0), 1);
      line.querySelector(".past").setAttribute("width", `${(share * 100).toFixed(2)}%`);
    });
  }

  // What one has unfolded stays unfolded when its part comes anew.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const open = all("details[open][id]", event.detail.target).map((fold) => fold.id);
    event.detail.target.dataset.open = open.join(" ");
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    (event.detail.target.dataset.open || "").split(" ").filter(Boolean).forEach((id) => {
      const fold = document.getElementById(id);
      if (fold) fold.open = true;
    });
    listen();
  });

  document.addEventListener("DOMContentLoaded", () => {
    if (!document.querySelector(".shell")) return;
    listen();
    setInterval(() => { countDown(); countUp(); }, 1000);
    setInterval(drawDay, 30000);
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden || !source) return;
    if (source.readyState === EventSource.CLOSED) { listening = null; listen(); }
  });

  // A browser keeps the pages one has left, and six open streams are all it allows to one host.
  window.addEventListener("pagehide", () => {
    if (source) source.close();
    source = null;
    clearTimeout(gap);
  });
  // What happened meanwhile was not heard: once the stream is open, every part asks anew.
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted || !document.querySelector(".shell")) return;
    document.body.dataset.stream = "lost";
    listen();
  });
})();
