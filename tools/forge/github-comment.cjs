// Posts the review of a pull request as one comment, which the next review edits: `node github-comment.cjs FOLDER`, with the report in FOLDER.
// Plain JavaScript without dependencies, run from the default branch by review-comment.yml, with a token that may write comments.
//
// The report is not trusted: which pull request it belongs to is known from the event and the API alone.
"use strict";
const fs = require("node:fs");
const { MARKER, commentText, readReport } = require("./report.cjs");

const BOT = "github-actions[bot]";
const PAGE = 100;
/** Pages that are read at most; the API lists no more files of a pull request either. */
const PAGES = 30;
const TIMEOUT = 30_000;

/** GitHub's API for one repository. */
class Api {
  constructor(env) {
    this.base = `${env.GITHUB_API_URL}/repos/${env.GITHUB_REPOSITORY}`;
    this.token = env.GITHUB_TOKEN;
  }

  async call(method, place, body) {
    const response = await fetch(`${this.base}${place}`, {
      method,
      headers: {
        accept: "application/vnd.github+json",
        authorization: `Bearer ${this.token}`,
        "content-type": "application/json",
        "user-agent": "k3s-networking-review",
        "x-github-api-version": "2022-11-28",
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(TIMEOUT),
    });
    if (!response.ok) throw new Error(`${method} ${place}: HTTP status ${response.status}`);
    return response.json();
  }

  /** Every item of a list, or undefined when there are more than can be read. */
  async list(place) {
    const items = [];
    for (let page = 1; page <= PAGES; page += 1) {
      const found = await this.call("GET", `${place}${place.includes("?") ? "&" : "?"}per_page=${PAGE}&page=${page}`);
      items.push(...found);
      if (found.length < PAGE) return items;
    }
    return undefined;
  }
}

/** The open pull requests whose head is still the commit that the run was of. */
async function pullsOf(run, api) {
  const { head_repository: repository, head_branch: branch, head_sha: commit } = run;
  // Null when the fork is gone.
  if (repository === null) return [];
  const head = encodeURIComponent(`${repository.owner.login}:${branch}`);
  const pulls = (await api.list(`/pulls?state=open&head=${head}`)) ?? [];
  return pulls.filter((pull) => pull.head.sha === commit && pull.head.repo?.id === repository.id);
}

/** Whether a pull request changes nothing but stacks: then the code that made the report is the repository's own. */
async function changesStacksOnly(number, api) {
  const files = await api.list(`/pulls/${number}/files`);
  const names = files?.flatMap(({ filename, previous_filename: previous }) => [filename, previous ?? filename]);
  return names !== undefined && names.every((name) => name.startsWith("stacks/"));
}

/** What stands above the report: which commit, whose words, and how the run ended. */
function heading(run, stacksOnly, env) {
  const place = `${env.GITHUB_SERVER_URL}/${env.GITHUB_REPOSITORY}/actions/runs/${run.id}`;
  const ended = run.conclusion === "success" ? "succeeded" : "**failed**";
  const origin = stacksOnly
    ? "This pull request changes stacks only: what follows was made by the code of the branch that it is for."
    : "> [!WARNING]\n> This pull request changes more than `stacks/`. What follows was made by **its own code**, and says what that code\n> says. It ran without credentials.";
  return `### Review of ${run.head_sha.slice(0, 12)}\n\nThe [run](${place}) ${ended}; its artefact \`review\` has this as a page and as JSON.\n\n${origin}`;
}

/** Posts the comment, or edits the one that is there. Nobody else's comment is touched, whatever it begins with. */
async function post(number, body, api) {
  const comments = (await api.list(`/issues/${number}/comments`)) ?? [];
  const own = comments.find(
    (comment) => comment.user?.type === "Bot" && comment.user.login === BOT && comment.body?.startsWith(`${MARKER}\n`),
  );
  if (own === undefined) await api.call("POST", `/issues/${number}/comments`, { body });
  else await api.call("PATCH", `/issues/comments/${own.id}`, { body });
  return own === undefined ? "posted" : "edited";
}

/** @returns What was done, in words that hold nothing from outside. */
async function main(folder, env) {
  const { workflow_run: run } = JSON.parse(fs.readFileSync(env.GITHUB_EVENT_PATH, "utf8"));
  if (run.event !== "pull_request") return "Nothing to do: the run was of no pull request.";
  const api = new Api(env);
  const [pull, ...others] = await pullsOf(run, api);
  if (pull === undefined) return "Nothing to do: no open pull request has the run's commit as its head any more.";
  if (others.length > 0) {
    throw new Error("Several pull requests have the run's commit as their head: which of them it was of is not known.");
  }
  const above = heading(run, await changesStacksOnly(pull.number, api), env);
  const body = commentText(above, readReport(folder), new URL(env.GITHUB_SERVER_URL).hostname);
  return `The comment on pull request ${pull.number} was ${await post(pull.number, body, api)}.`;
}

main(process.argv[2], process.env).then(
  (done) => process.stdout.write(`${done}\n`),
  (error) => {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  },
);
