// Grades an answer from 1 to 6 with ChatGPT, as the ablations of LIMA do (Zhou et al. 2023 §5): OPENAI_API_KEY in the environment.
const asked = (prompt, response) => `You are evaluating a response that has been submitted for a task.

[Task]
${prompt}

[Response]
${response}

How helpful is it? 1: not helpful, 2: somewhat helpful, 3: moderately helpful, 4: helpful, 5: very helpful,
6: extremely helpful. Answer with the number alone.`;

export default async function helpfulness({ prompt, response }) {
  const answer = await fetch("https://api.openai.com/v1/chat/completions", {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${process.env.OPENAI_API_KEY}` },
    body: JSON.stringify({
      model: "gpt-3.5-turbo",
      temperature: 0,
      messages: [{ role: "user", content: asked(prompt, response) }],
    }),
  });
  if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
  const { choices } = await answer.json();
  const grade = /[1-6]/.exec(choices[0].message.content);
  if (!grade) throw new Error(`no grade in ${JSON.stringify(choices[0].message.content)}`);
  return Number(grade[0]);
}
