// How much of a file has been sent. Without script the browser sends it, and says so itself.
"use strict";
(() => {
  document.addEventListener("htmx:xhr:progress", (event) => {
    const form = event.target.closest("form[data-upload]");
    if (!form || !event.detail.lengthComputable || !form.querySelector(".upload")) return;
    const percent = Math.min(100, Math.round((100 * event.detail.loaded) / event.detail.total));
    form.querySelector(".upload").hidden = false;
    form.querySelector("[data-sent]").textContent = `${percent}%`;
    form.querySelector("[data-sent-bar]").setAttribute("width", `${percent}%`);
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const form = event.target.closest("form[data-upload]");
    if (!form || event.detail.successful) return;
    form.querySelector(".upload").hidden = false;
    form.querySelector("[data-sent]").textContent = "failed: send it again";
  });
})();
