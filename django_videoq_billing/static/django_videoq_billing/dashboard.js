/* Draws each chart of the page from the JSON beside it, anew when the theme changes. */
"use strict";
(() => {
  const page = document.querySelector(".vqb-dashboard");
  const language = document.documentElement.lang || "en";
  const drawn = [];

  // Another admin theme may lack Django's variables: then its own text colour, and a grey.
  const colour = (name, otherwise) => getComputedStyle(page).getPropertyValue(name).trim() || otherwise;

  function formatter(data) {
    if (data.currency) {
      const money = new Intl.NumberFormat(language, { style: "currency", currency: data.currency });
      const unit = 10 ** data.decimals;
      return (value) => money.format(value / unit);
    }
    const plain = new Intl.NumberFormat(language);
    return (value) => plain.format(value) + (data.unit ? " " + data.unit : "");
  }

  function short(data) {
    if (!data.currency) return formatter(data);
    const money = new Intl.NumberFormat(language, {
      style: "currency", currency: data.currency, notation: "compact", maximumFractionDigits: 1,
    });
    return (value) => money.format(value / 10 ** data.decimals);
  }

  function dataset(series, kind) {
    const paint = colour("--vqb-" + series.role);
    return {
      label: series.name,
      data: series.values,
      borderColor: paint,
      backgroundColor: kind === "line" ? paint + "22" : paint,
      borderWidth: kind === "line" ? 2 : 0,
      pointRadius: kind === "line" && series.values.length <= 31 ? 2 : 0,
      pointHitRadius: 8,
      maxBarThickness: 36,
      tension: 0,
    };
  }

  function options(data) {
    const stacked = data.kind === "stacked";
    const text = getComputedStyle(page).color, quiet = colour("--body-quiet-color", text);
    const exact = formatter(data), rough = short(data);
    const grid = colour("--hairline-color", "rgba(128, 128, 128, 0.3)");
    return {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      interaction: { mode: "index", intersect: false },
      scales: {
        x: { stacked, grid: { display: false }, border: { color: grid }, ticks: { color: quiet, maxRotation: data.kind === "bar" ? 60 : 0, autoSkip: data.kind !== "bar", autoSkipPadding: 12 } },
        y: {
          stacked,
          beginAtZero: true,
          grid: { color: grid },
          border: { display: false },
          ticks: { color: quiet, maxTicksLimit: 6, precision: data.currency || data.unit ? undefined : 0, callback: (value) => rough(value) },
        },
      },
      plugins: {
        legend: {
          display: data.series.length > 1,
          position: "bottom",
          labels: { color: colour("--body-fg", text), boxWidth: 12, boxHeight: 12 },
        },
        tooltip: { callbacks: { label: (item) => `${item.dataset.label}: ${exact(item.raw)}` } },
      },
    };
  }

  function draw() {
    while (drawn.length) drawn.pop().destroy();
    Chart.defaults.font.family = getComputedStyle(page).fontFamily;
    for (const canvas of page.querySelectorAll("canvas[data-chart]")) {
      const data = JSON.parse(document.getElementById(canvas.dataset.chart).textContent);
      drawn.push(new Chart(canvas, {
        type: data.kind === "line" ? "line" : "bar",
        data: { labels: data.labels, datasets: data.series.map((series) => dataset(series, data.kind)) },
        options: options(data),
      }));
    }
  }

  draw();
  new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
})();
