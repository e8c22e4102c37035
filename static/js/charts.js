/* Charts: a picture of figures that are also in a table beside it.
   Markup:  <figure class="chart-box" data-chart="ID">  with  {{ option|json_script:"ID" }}  and a table .chart-twin.
   The option is ECharts' own; a datum may carry "href": a click on its mark goes there. Colours named "up" and "down"
   follow the reader's convention. Drawn on a canvas: the content security policy allows no inline style. */
"use strict";

(() => {
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const named = { up: "--up", down: "--down", accent: "--accent", good: "--good", warn: "--warn", bad: "--bad", muted: "--line-strong" };
  const drawn = new Map();

  // Ordered so that neighbours differ in lightness too: the picture survives a black-and-white printer.
  const palette = () => [css("--accent"), "#8fb0d3", "#b98a2f", "#5b7f6a", "#a7a196", "#6d4a7c", "#c7cdd3"];

  function coloured(value) {
    if (Array.isArray(value)) return value.map(coloured);
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [key, key === "color" && named[inner] ? css(named[inner]) : coloured(inner)]),
    );
  }

  function frame(option) {
    const text = { color: css("--ink-soft"), fontFamily: css("--font"), fontSize: 12 };
    const axis = (own) => ({
      axisLine: { lineStyle: { color: css("--line-strong") } },
      axisTick: { show: false },
      splitLine: { lineStyle: { color: css("--line") } },
      ...own,
      axisLabel: { ...text, ...own?.axisLabel },
    });
    const axes = (own) => (Array.isArray(own) ? own.map(axis) : own && axis(own));
    return {
      animation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
      animationDuration: 250,
      color: palette(),
      textStyle: text,
      aria: { enabled: true, decal: { show: true } },
      ...option,
      grid: { left: 8, right: 16, top: 32, bottom: 8, outerBoundsMode: "same", outerBoundsContain: "axisLabel", ...option.grid },
      ...(option.xAxis && { xAxis: axes(option.xAxis) }),
      ...(option.yAxis && { yAxis: axes(option.yAxis) }),
      ...(option.legend && { legend: { textStyle: text, icon: "rect", itemWidth: 12, itemHeight: 12, ...option.legend } }),
      // Rich text: an HTML tooltip would need inline styles.
      tooltip: { trigger: "item", confine: true, ...option.tooltip, renderMode: "richText" },
    };
  }

  function draw(box) {
    // A part that htmx swaps in carries its option on itself: htmx drops every script, data included.
    const source = box.dataset.option ?? document.getElementById(box.dataset.chart)?.textContent;
    if (!window.echarts || !source || drawn.has(box)) return;
    const place = box.querySelector(".chart");
    const chart = echarts.init(place, null, { renderer: "canvas" });
    chart.setOption(frame(coloured(JSON.parse(source))));
    chart.on("click", (params) => {
      const href = params.data?.href;
      // Only ways inside the product: the data of a chart must never send a reader elsewhere.
      if (typeof href === "string" && href.startsWith("/") && !href.startsWith("//")) location.assign(href);
    });
    const watch = new ResizeObserver(() => place.clientWidth && chart.resize()); // hidden behind its table: keep the size
    watch.observe(place);
    drawn.set(box, { chart, watch });
  }

  function drawAll() {
    for (const [box, { chart, watch }] of drawn) {
      if (document.contains(box)) continue;
      watch.disconnect();
      chart.dispose();
      drawn.delete(box);
    }
    document.querySelectorAll("[data-chart]").forEach(draw);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-chart-twin]");
    if (!button) return;
    const box = button.closest("[data-chart]");
    const twin = box.querySelector(".chart-twin");
    twin.hidden = !twin.hidden;
    box.querySelector(".chart").hidden = !twin.hidden;
    button.setAttribute("aria-pressed", String(!twin.hidden));
  });

  document.addEventListener("DOMContentLoaded", drawAll);
  document.addEventListener("htmx:afterSettle", drawAll);
})();
