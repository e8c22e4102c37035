/* A line of a ledger opens what is behind it in place, and closes it again. Without JavaScript the link is a page. */
"use strict";

document.addEventListener("htmx:beforeRequest", (event) => {
  const link = event.target.closest?.("[data-behind]");
  if (!link) return;
  const place = document.getElementById(link.dataset.behind);
  const holder = place.closest("tr.behind") ?? place;
  holder.hidden = !holder.hidden;
  link.setAttribute("aria-expanded", String(!holder.hidden));
  // Asked once: opened again, what came the first time is still right.
  if (place.childElementCount || holder.hidden) event.preventDefault();
});
