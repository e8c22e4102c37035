/* The frame of every page: menu, dialogs, keys, toasts, and manners of requests. No page depends on it to work. */
"use strict";

(() => {
  const root = document.documentElement;
  const byId = (id) => document.getElementById(id);
  const typing = (element) => element.matches("input, textarea, select, [contenteditable]");

  // --- menu ---------------------------------------------------------------------------------------
  function openMenu(open) {
    root.classList.toggle("menu-is-open", open);
    document.querySelectorAll("[data-menu-open]").forEach((b) => b.setAttribute("aria-expanded", String(open)));
    if (open) document.querySelector(".sidebar-close")?.focus();
  }

  function fold(button) {
    const narrow = root.classList.toggle("sidebar-narrow");
    button.setAttribute("aria-expanded", String(!narrow));
    // A cookie, not local storage: the server draws the right width and the page does not jump.
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `crm_sidebar=${narrow ? "narrow" : "wide"}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  }

  // --- toasts --------------------------------------------------------------------------------------
  function toast(text, level = "info") {
    const note = byId("toast-template").content.firstElementChild.cloneNode(true);
    note.classList.add(`toast-${level}`);
    note.querySelector("span").textContent = text;
    byId("toasts").append(note);
    if (level !== "error") setTimeout(() => note.remove(), 6000);
  }

  document.addEventListener("toast", (event) => toast(event.detail.text ?? event.detail.value, event.detail.level));

  document.addEventListener("htmx:responseError", (event) => {
    const words = byId("toasts").dataset;
    const text = { 403: words.forbidden, 404: words.gone, 429: words.busy }[event.detail.xhr.status];
    toast(text ?? words.failed, "error");
  });
  for (const name of ["htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(name, () => toast(byId("toasts").dataset.unreachable, "error"));
  }

  // --- one question before what cannot be undone ------------------------------------------------------
  function ask(text) {
    const dialog = byId("confirm");
    byId("confirm-text").textContent = text;
    dialog.returnValue = "no";
    dialog.showModal();
    return new Promise((resolve) => {
      dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
    });
  }

  document.addEventListener("htmx:confirm", (event) => {
    const text = event.detail.question || event.detail.elt.dataset.confirm;
    if (!text) return;
    event.preventDefault();
    ask(text).then((yes) => yes && event.detail.issueRequest(true));
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method === "dialog") return;
    const byHtmx = form.matches("[hx-post], [hx-get], [data-hx-post]");
    const text = event.submitter?.dataset.confirm ?? form.dataset.confirm;
    if (text && !byHtmx && form.dataset.confirmed !== "yes") {
      event.preventDefault();
      ask(text).then((yes) => {
        if (!yes) return;
        form.dataset.confirmed = "yes";
        form.requestSubmit(event.submitter);
      });
      return;
    }
    // Submit once: a second click while the first is under way would be a second order.
    if (!byHtmx && form.method === "post") {
      if (form.dataset.sent === "yes") event.preventDefault();
      form.dataset.sent = "yes";
    }
  });
  // A page taken from the browser's memory must be usable again.
  window.addEventListener("pageshow", () => {
    document.querySelectorAll("form[data-sent]").forEach((form) => {
      delete form.dataset.sent;
      delete form.dataset.confirmed;
    });
  });

  // --- clicks ------------------------------------------------------------------------------------------
  document.addEventListener("click", (event) => {
    const at = (selector) => event.target.closest(selector);
    if (at("[data-menu-open]")) openMenu(true);
    else if (at("[data-menu-close]") || (root.classList.contains("menu-is-open") && !at("#sidebar"))) openMenu(false);
    const folder = at("[data-sidebar-fold]");
    if (folder) fold(folder);
    if (at("[data-keys-open]")) byId("keys")?.showModal();
    at("[data-toast-close]")?.closest(".toast-note").remove();
    if (at("[data-print]")) window.print();
    document.querySelectorAll("details[data-menu][open]").forEach((menu) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
    if (event.target.matches("dialog.sheet, dialog.palette")) event.target.close(); // the backdrop
  });

  // --- keys ---------------------------------------------------------------------------------------------
  let goPressedAt = 0;

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      openMenu(false);
      document.querySelectorAll("details[data-menu][open]").forEach((menu) => {
        menu.open = false;
        menu.querySelector("summary").focus();
      });
      if (event.target.matches("[data-search]")) event.target.blur();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || document.querySelector("dialog[open]")) return;
    if (Date.now() - goPressedAt < 1500) {
      goPressedAt = 0;
      const way = document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
      if (way) location.assign(way.href);
      return;
    }
    if (event.key === "/") {
      const box = document.querySelector("[data-search]");
      if (!box) return;
      event.preventDefault();
      if (box.offsetParent === null) document.querySelector("[data-palette-open]")?.click();
      else box.focus();
    } else if (event.key === "?") byId("keys")?.showModal();
    else if (event.key === "g") goPressedAt = Date.now();
  });
})();
