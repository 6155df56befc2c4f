// What a person does, told to the server.

/** Says `words` = {platform, room, person, text, mention, reply_to}; throws an Error whose message is for people. */
export async function say(words) {
  await post("/page/say", words);
}

/** Presses Stop below a thread = {platform, room, person, thread}; throws as `say` does. */
export async function stop(thread) {
  await post("/page/stop", thread);
}

async function post(path, body) {
  let answer;
  try {
    answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch {
    throw new Error("The playground does not answer. Is it still running?");
  }
  if (!answer.ok) {
    throw new Error((await answer.text()) || `The playground refused this (${answer.status}).`);
  }
}
