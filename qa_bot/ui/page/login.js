// The login form: stays on the page and says what is wrong.

const said = JSON.parse(document.getElementById("texts").textContent);
const form = document.getElementById("login");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const answer = await fetch("login", { method: "POST", body: new URLSearchParams(new FormData(form)) });
  if (answer.ok) {
    location.reload();
    return;
  }
  document.getElementById("problem").textContent =
    answer.status === 429 ? said.too_many : said.wrong_password;
});
