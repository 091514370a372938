// A value that a field opens with is selected when the field gets the focus, whoever gave it, and
// at the first click: typing replaces it. Once a person has typed, the caret goes as ever.
"use strict";
(() => {
  const typed = new WeakSet();
  let clicked = null;
  let kept = "";

  const isAsOpened = (field) =>
    field instanceof HTMLInputElement && field.value !== "" && !typed.has(field);

  document.addEventListener("input", (event) => {
    if (event.isTrusted) typed.add(event.target);
  }, true);

  document.addEventListener("focusin", (event) => {
    if (kept && event.target.id === kept) typed.add(event.target);
    else if (isAsOpened(event.target)) event.target.select();
  });
  document.addEventListener("focusout", () => { clicked = null; });

  // The press itself must not place the caret: it would do so after the field was selected.
  document.addEventListener("mousedown", (event) => {
    const field = event.target;
    if (event.button !== 0 || !isAsOpened(field) || field === clicked) return;
    event.preventDefault();
    field.focus();
    field.select();
    clicked = field;
  });

  // A part that comes anew keeps the caret of the field that one is typing in.
  document.addEventListener("htmx:beforeSwap", () => {
    kept = typed.has(document.activeElement) ? document.activeElement.id : "";
  });
  document.addEventListener("htmx:afterSwap", () => { kept = ""; });

  const first = document.activeElement;
  if (isAsOpened(first) && first.value === first.defaultValue) first.select();
})();
