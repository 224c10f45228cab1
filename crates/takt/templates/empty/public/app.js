// The page speaks only the public API: it reads a table and calls an action.

const list = document.querySelector("#messages");
const form = document.querySelector("#form");
const answer = document.querySelector("#answer");

async function show() {
  const response = await fetch("/rest/v1/messages?select=id,nickname,message&order=created_at.desc&limit=50");
  const messages = await response.json();
  list.replaceChildren(
    ...messages.map(({ nickname, message }) => {
      const item = document.createElement("li");
      const who = document.createElement("strong");
      who.textContent = nickname;
      item.append(who, document.createTextNode(` ${message}`));
      return item;
    }),
  );
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const response = await fetch("/rest/v1/rpc/leave_message", {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID() },
    body: JSON.stringify(Object.fromEntries(new FormData(form))),
  });
  answer.textContent = response.ok ? "" : (await response.json()).message;
  if (response.ok) {
    form.reset();
    await show();
  }
});

show();
