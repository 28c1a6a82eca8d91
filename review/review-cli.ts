/** `npm run review`: the review files of the stacks, and what a change does. */
import { createRequire } from "node:module";
import { PROCESS_STREAMS, jsonText, refuse, type Streams } from "./command";
import { helpText, parseOptions } from "./options";
import { planFile } from "./plan-file";
import { planStack } from "./preview";
import type * as answers from "./review-answers";
import { COMMAND, isRefusal, questionOf, type Refusal } from "./review-options";
import type { StackSource } from "./stack-file";

const requireHere = createRequire(__filename);

/**
 * Runs the command.
 *
 * @returns The exit code: 0; or 1 for mistakes, for review files that are not up to date, and for what `--fail-on` names.
 */
export function main(args: readonly string[], streams: Streams = PROCESS_STREAMS): Promise<number> {
  return Promise.resolve(run(args, streams));
}

function run(args: readonly string[], streams: Streams): number {
  const options = parseOptions(args, COMMAND);
  const { values } = options;
  if (values["help"] === true) {
    streams.stdout(helpText(COMMAND));
    return 0;
  }
  // Whoever asks for a plan reads JSON.
  const json = values["json"] === true || values["plan"] === true;
  const named = typeof values["stack"] === "string" ? values["stack"] : "";
  const question = questionOf(options);
  if (!("mode" in question)) return refuse({ stack: named, problems: question }, json, streams);
  const answer =
    question.mode === "plan" ? showPlan(question.sources, streams) : others().answerTo(question, values, streams);
  if (typeof answer === "number") return answer;
  // All stacks with mistakes, each with all of them; JSON is one document.
  if (json) streams.stdout(jsonText(answer.length === 1 ? answer[0] : answer));
  else for (const refusal of answer) refuse(refusal, false, streams);
  return 1;
}

function showPlan(sources: readonly StackSource[], streams: Streams): number | readonly Refusal[] {
  const planned = sources.map(planStack);
  const refusals = planned.filter(isRefusal);
  if (refusals.length > 0) return refusals;
  for (const one of planned) if (!isRefusal(one)) streams.stdout(jsonText(planFile(one.plan)));
  return 0;
}

/** Loaded when needed: a plan is what older code is asked for, and a mistake in a drawing is not to keep it from answering. */
function others(): typeof answers {
  return requireHere("./review-answers.ts") as typeof answers;
}
