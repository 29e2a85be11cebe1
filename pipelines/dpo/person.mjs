// A reader's verdict: the score that a response already has, times 20, and what they make of it that day. Of two responses the better one
// is preferred with probability σ(20 · difference), as Bradley and Terry have it, because the difference of two Gumbel draws is logistic.
import { createHash } from "node:crypto";

export default ({ prompt, response, row }) => {
  const truth = row.scores[row.responses.indexOf(response)];
  const digest = createHash("sha256")
    .update(JSON.stringify([prompt, response]))
    .digest();
  const uniform = (digest.readUIntBE(0, 6) + 0.5) / 2 ** 48;
  return 20 * truth - Math.log(-Math.log(uniform));
};
