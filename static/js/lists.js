/* Lists by keyboard: j and k walk the rows, Enter opens one, n and p turn the page. A row ".behind" is no row of its own:
   it holds what the one above it opened. */
"use strict";

(() => {
  const rows = () => [...document.querySelectorAll("table[data-list] > tbody > tr:not(.behind)")].filter((row) => row.querySelector("a[href]"));
  const current = () => document.querySelector("tr.is-current");

  function goTo(row) {
    if (!row) return;
    current()?.classList.remove("is-current");
    row.classList.add("is-current");
    // The focus goes with the mark, so that Enter and a screen reader are at the same row.
    row.querySelector("a[href]").focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea, select, [contenteditable]")) return;
    if (document.querySelector("dialog[open]")) return;
    const all = rows();
    const at = all.indexOf(current());
    if (event.key === "j") goTo(all[Math.min(at + 1, all.length - 1)]);
    else if (event.key === "k") goTo(all[Math.max(at - 1, 0)]);
    else if (event.key === "n") document.querySelector("[data-step=next]")?.click();
    else if (event.key === "p") document.querySelector("[data-step=prev]")?.click();
  });

  // A choice takes effect when it is made; without JavaScript the button beside it does the same.
  document.addEventListener("change", (event) => {
    if (event.target.matches(".controls select, .controls [type=date]")) event.target.form.requestSubmit();
  });

  // Pager and sort buttons stand outside the form they submit, and htmx does not see those: hand it their value.
  document.addEventListener("submit", (event) => {
    const { target: form, submitter } = event;
    if (!form.matches(".controls") || !submitter?.name || form.contains(submitter)) return;
    const carrier = Object.assign(document.createElement("input"), { type: "hidden", name: submitter.name, value: submitter.value });
    form.append(carrier);
    form.addEventListener("htmx:afterRequest", () => carrier.remove(), { once: true });
  }, true);

  // The whole row is the target of a mouse; the link in it stays the one way for everything else.
  document.addEventListener("click", (event) => {
    const row = event.target.closest("table[data-list] > tbody > tr");
    if (!row || row.matches(".behind") || event.target.closest("a, button, input, select, label, summary") || String(getSelection())) return;
    row.querySelector("a[data-open], th a[href]")?.click();
  });
})();
