// A visitor leaves a message. The whole function is one transaction: it is written, or nothing is.

export const label = { en: "Leave a message", de: "Nachricht hinterlassen" };
export const access = ["anon", "authenticated"];
export const runs_as = "service"; // the table itself is open for reading only
export const input = {
  nickname: { type: "text", max: 80 },
  message: { type: "text", max: 1000 },
};

export default async function ({ db, step, reject }, { nickname, message }) {
  if (nickname.trim() === "" || message.trim() === "") {
    reject(422, { en: "Please fill in both fields.", de: "Bitte beide Felder ausfüllen." });
  }
  const written = await step({ en: "Message written", de: "Nachricht geschrieben" }, async () =>
    db.messages.insert({ nickname: nickname.trim(), message: message.trim() }),
  );
  return { id: written.id };
}
