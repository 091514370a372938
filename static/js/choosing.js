// Rows that are chosen stay chosen when their list comes anew, and are counted in its bar.
"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const boxes = (form) => all("input[type=checkbox][data-keep]", form);

  function count(form) {
    const chosen = boxes(form).filter((box) => box.checked);
    boxes(form).forEach((box) => box.closest("tr").classList.toggle("on", box.checked));
    all("[data-chosen-count]", form).forEach((words) => {
      words.dataset.none = words.dataset.none || words.textContent;
      words.textContent = chosen.length ? `${chosen.length} chosen` : words.dataset.none;
    });
    all("[data-chosen-bar]", form).forEach((bar) => bar.toggleAttribute("data-empty", !chosen.length));
    all("[data-chosen-bar] button[type=submit]", form).forEach((button) => {
      button.disabled = !chosen.length;
    });
  }

  const countAll = () => all("[data-choosing]").forEach(count);
  let kept = new Set();

  document.addEventListener("change", (event) => {
    const form = event.target.closest("[data-choosing]");
    if (form) count(form);
  });
  document.addEventListener("htmx:beforeSwap", () => {
    kept = new Set(all("input[data-keep]:checked").map((box) => box.dataset.keep));
  });
  document.addEventListener("htmx:afterSettle", () => {
    all("input[data-keep]").forEach((box) => { box.checked = box.checked || kept.has(box.dataset.keep); });
    countAll();
  });
  document.addEventListener("DOMContentLoaded", countAll);
})();
