/* Ctrl-K: go to any page or customer by typing. Pages are in the document, customers come by POST. */
"use strict";

(() => {
  const palette = document.getElementById("palette");
  if (!palette) return;
  const input = palette.querySelector(".palette-input");
  const found = document.getElementById("palette-found");
  const list = document.getElementById("palette-list");
  const none = palette.querySelector(".palette-none");
  const searches = input.hasAttribute("hx-post");

  const items = () => [...palette.querySelectorAll(".palette-item:not([hidden])")];
  const chosen = () => palette.querySelector("[role=option][aria-selected=true]");

  function choose(item) {
    chosen()?.setAttribute("aria-selected", "false");
    if (!item) return;
    item.setAttribute("aria-selected", "true");
    item.id ||= `palette-item-${items().indexOf(item)}`;
    input.setAttribute("aria-activedescendant", item.id);
    item.scrollIntoView({ block: "nearest" });
  }

  function refresh() {
    const words = input.value.trim().toLowerCase();
    palette.querySelectorAll("[data-page]").forEach((page) => {
      page.hidden = words !== "" && !page.textContent.toLowerCase().includes(words);
    });
    if (words === "") found.replaceChildren();
    const any = items().length > 0;
    none.hidden = any;
    list.hidden = !any; // an empty list box is no list box
    choose(items()[0]);
  }

  function open() {
    if (palette.open) return;
    input.value = "";
    palette.showModal();
    refresh();
    input.focus();
  }

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      open();
    }
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-palette-open]")) open();
  });

  input.addEventListener("input", refresh);
  found.addEventListener("htmx:afterSwap", refresh);
  // Nothing typed is nothing to ask the server for.
  input.addEventListener("htmx:configRequest", (event) => {
    if (input.value.trim() === "") event.preventDefault();
  });

  palette.addEventListener("keydown", (event) => {
    const all = items();
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      choose(all[(all.indexOf(chosen()) + step + all.length) % all.length]);
    } else if (event.key === "Escape") {
      // A search box would take the first Escape to empty itself.
      event.preventDefault();
      palette.close();
    } else if (event.key === "Enter" && chosen()) {
      event.preventDefault();
      chosen().click();
    }
  });
  palette.querySelector("form").addEventListener("submit", (event) => {
    if (!searches) event.preventDefault();
  });
})();
