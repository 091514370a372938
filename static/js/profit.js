// Open profit follows the price: quantity × price − cost, in ten-thousandths, so that it is exact.
"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const SCALE = 10000n;

  function units(text) {
    const [whole, fraction = ""] = text.replace("-", "").split(".");
    const number = BigInt(whole || "0") * SCALE + BigInt(fraction.padEnd(4, "0").slice(0, 4));
    return text.startsWith("-") ? -number : number;
  }

  function words(amount) {
    const size = amount < 0n ? -amount : amount;
    const paise = (size + 50n) / 100n; // half up, as the server rounds
    const [rupees, rest] = [paise / 100n, String(paise % 100n).padStart(2, "0")];
    const sign = paise === 0n ? "" : amount < 0n ? "\u2212" : "+";
    return `${sign}${new Intl.NumberFormat("en-IN").format(rupees)}.${rest}`;
  }

  // The server's amount counts until the first price comes.
  function amountOf(part) {
    if (part.dataset.amount) return BigInt(part.dataset.amount);
    return part.dataset.made ? units(part.dataset.made) : null;
  }

  function write(cell, amount) {
    cell.textContent = words(amount);
    cell.classList.toggle("up", amount > 0n);
    cell.classList.toggle("down", amount < 0n);
    cell.classList.remove("stale");
  }

  // A sum is written only while every part of it is known; it begins with what stands already.
  function addUp(total) {
    const parts = all(`[data-profit-of~="${CSS.escape(total.dataset.profitTotal)}"]`).map(amountOf);
    if (!parts.length || parts.includes(null)) return;
    write(total, parts.reduce((sum, part) => sum + part, units(total.dataset.profitBase || "0")));
    const now = new Date().toLocaleTimeString("en-GB", { timeZone: "Asia/Kolkata" });
    if (total.dataset.profitBase) all("[data-profit-time]").forEach((cell) => { cell.textContent = now; });
  }

  document.addEventListener("pinnacle:quotes", (event) => {
    Object.entries(event.detail).forEach(([key, quote]) => {
      all(`[data-profit="${CSS.escape(key)}"]`).forEach((cell) => {
        const amount = units(String(quote.p)) * BigInt(cell.dataset.quantity) - units(cell.dataset.cost);
        cell.dataset.amount = String(amount);
        write(cell, amount);
      });
    });
    all("[data-profit-total]").forEach(addUp);
  });
})();
