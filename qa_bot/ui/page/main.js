// Puts the page's parts together: tabs, the server's state, theme and language.

import { startAbout } from "./about.js";
import { startBatches } from "./batch.js";
import { startChat } from "./chat.js";
import { startDocuments } from "./documents.js";
import { byId } from "./dom.js";
import { startEvaluations } from "./evaluations.js";
import { startHistory } from "./history.js";
import { startRuns } from "./runs.js";
import { startScope } from "./scope.js";
import { startSettings } from "./settings.js";
import { line, look, retry, watch } from "./server.js";

const root = document.documentElement;

function startTabs() {
  const tabs = [...document.querySelectorAll('[role="tab"]')];
  const choose = (chosen) => {
    for (const tab of tabs) {
      const here = tab === chosen;
      tab.setAttribute("aria-selected", String(here));
      tab.tabIndex = here ? 0 : -1;
      byId(tab.getAttribute("aria-controls")).hidden = !here;
    }
    byId(chosen.getAttribute("aria-controls")).dispatchEvent(new Event("shown"));
    history.replaceState(null, "", `#${chosen.getAttribute("aria-controls")}`);
  };
  for (const [place, tab] of tabs.entries()) {
    tab.addEventListener("click", () => choose(tab));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = tabs[(place + step + tabs.length) % tabs.length];
      next.focus();
      choose(next);
    });
  }
  const named = tabs.find((tab) => `#${tab.getAttribute("aria-controls")}` === location.hash);
  if (named) choose(named);
}

function startState() {
  watch((state) => {
    byId("state").dataset.state = state.state;
    byId("state-text").textContent = line(state);
    byId("model").textContent = state.model ? `· ${state.model} · ${state.version}` : "";
    byId("fault").hidden = state.state !== "failed";
    byId("fault-text").textContent = state.fault || "";
    byId("log-out").hidden = !state.user;
  });
  byId("fault-retry").addEventListener("click", retry);
  look();
}

function startTheme() {
  byId("theme").addEventListener("click", () => {
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    localStorage.setItem("qa_bot.theme", root.dataset.theme);
  });
}

function startLanguage() {
  const choice = byId("language");
  choice.value = root.lang;
  choice.addEventListener("change", () => {
    document.cookie = `qa_bot_language=${choice.value}; path=/; max-age=31536000; samesite=strict`;
    location.reload();
  });
}

startTheme();
startLanguage();
startState();
startSettings();
startAbout();
startScope();
startHistory();
startChat();
startDocuments();
startBatches();
startEvaluations();
startRuns();
startTabs();
