"use strict";

const root = document.documentElement;
const isDark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";

document.getElementById("theme").addEventListener("click", () => {
  root.dataset.theme = isDark() ? "light" : "dark";
  localStorage.setItem("theme", root.dataset.theme);
  drawChart();
});

document.addEventListener("change", (event) => {
  if (event.target.id !== "choose-all") return;
  for (const box of document.querySelectorAll("input[name=source]")) box.checked = event.target.checked;
});

document.addEventListener("click", async (event) => {
  const id = event.target.dataset && event.target.dataset.copy;
  if (!id) return;
  await navigator.clipboard.writeText(document.getElementById(id).textContent);
  event.target.textContent = "Copied";
});

// What the stream is doing, for those who see it and those who hear it.
const live = document.getElementById("live");
document.addEventListener("htmx:sseOpen", () => { live.textContent = "live"; live.className = "on"; });
document.addEventListener("htmx:sseError", () => { live.textContent = "not live, trying again"; live.className = "off"; });

// Keep the page short however long it stays open.
document.addEventListener("htmx:sseMessage", () => {
  for (const log of document.querySelectorAll("[role=log]")) {
    while (log.children.length > 200) log.lastElementChild.remove();
  }
});

let chart = null;
async function drawChart() {
  const place = document.getElementById("chart");
  if (!place || !window.uPlot) return;
  const answer = await fetch(place.dataset.from);
  if (!answer.ok) return;
  const data = await answer.json();
  const colour = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const axis = { stroke: colour("--dim"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") } };
  if (chart) chart.destroy();
  chart = new uPlot({
    width: place.clientWidth, height: 180, legend: { show: false },
    axes: [axis, { ...axis, size: 46 }],
    scales: { y: { range: (_, __, most) => [0, Math.max(1, most)] } },
    series: [{}, { label: "articles", stroke: colour("--accent"), fill: colour("--accent-soft"), width: 1.5, points: { show: false }, paths: uPlot.paths.bars({ size: [0.8, 40] }) }],
  }, data, place);
  const total = data[1].reduce((sum, number) => sum + number, 0);
  place.setAttribute("aria-label", `Articles stored in each of the last 48 hours: ${total} in all, at most ${Math.max(...data[1])} in one hour`);
}
drawChart();
setInterval(drawChart, 60_000);
addEventListener("resize", () => { if (chart) chart.setSize({ width: document.getElementById("chart").clientWidth, height: 180 }); });
