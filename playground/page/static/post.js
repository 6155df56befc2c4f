// What a person does, told to the server.

/** Says `words` = {platform, room, person, text, mention, reply_to}; throws an Error whose message is for people. */
export async function say(words) {
  let answer;
  try {
    answer = await fetch("/page/say", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(words),
    });
  } catch {
    throw new Error("The playground does not answer. Is it still running?");
  }
  if (!answer.ok) {
    throw new Error((await answer.text()) || `The playground refused this (${answer.status}).`);
  }
}
