// The chosen theme, set before anything is drawn; without a choice the system's.

const theme = localStorage.getItem("qa_bot.theme");
if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
