// Posts the review of every open merge request as one note, or edits the one that is there: `node gitlab-note.cjs`, in a scheduled pipeline
// of a protected branch, with a token that no merge request's pipeline has (docs/gitlab-ci.md). Plain JavaScript without dependencies.
//
// A merge request's report was made by its own code, a fork's also with its own settings: nothing in it is trusted.
"use strict";
const { BYTES, FILES, MARKER, commentText } = require("./report.cjs");

/** The job whose artefacts are the report, and their folder. */
const JOB = "review";
const FOLDER = "report";
const PAGE = 100;
const PAGES = 30;
const TIMEOUT = 30_000;
/** How a pipeline is that will not go on by itself. */
const ENDED = ["success", "failed"];

/** GitLab's API. */
class Api {
  constructor(env) {
    this.base = env.CI_API_V4_URL;
    this.token = env.REVIEW_NOTE_TOKEN;
  }

  async request(method, place, body) {
    return fetch(`${this.base}${place}`, {
      method,
      headers: { "private-token": this.token, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(TIMEOUT),
    });
  }

  async call(method, place, body) {
    const response = await this.request(method, place, body);
    if (!response.ok) throw new Error(`${method} ${place}: HTTP status ${response.status}`);
    return response.json();
  }

  async list(place) {
    const items = [];
    for (let page = 1; page <= PAGES; page += 1) {
      const found = await this.call("GET", `${place}${place.includes("?") ? "&" : "?"}per_page=${PAGE}&page=${page}`);
      items.push(...found);
      if (found.length < PAGE) break;
    }
    return items;
  }

  /** A file of a job's artefacts as `readReport` has it: undefined where it is not there, or not for this token. */
  async artefact(job, name) {
    const response = await this.request("GET", `${job}/artifacts/${FOLDER}/${name}`);
    if (!response.ok) return undefined;
    const chunks = [];
    let size = 0;
    for await (const chunk of response.body) {
      size += chunk.length;
      if (size > BYTES) return { problem: "too long" };
      chunks.push(chunk);
    }
    return { text: Buffer.concat(chunks).toString("utf8") };
  }
}

/** The job that reviewed the merge request's newest commit, or undefined while there is none. */
async function reviewOf(request, api) {
  const { head_pipeline: pipeline } = request;
  if (!pipeline || pipeline.sha !== request.sha || !ENDED.includes(pipeline.status)) return undefined;
  const jobs = await api.list(`/projects/${pipeline.project_id}/pipelines/${pipeline.id}/jobs`);
  const job = jobs.find(({ name }) => name === JOB);
  if (job === undefined || !ENDED.includes(job.status)) return undefined;
  return { ...job, place: `/projects/${pipeline.project_id}/jobs/${job.id}` };
}

function heading(request, job) {
  const ended = job.status === "success" ? "succeeded" : "**failed**";
  return [
    `### Review of ${request.sha.slice(0, 12)}`,
    `The [job](${job.web_url}) ${ended}; its artefacts have this as a page and as JSON.`,
    "What follows was made by the merge request's **own code**, and says what that code says. It ran without credentials of this project's.",
  ].join("\n\n");
}

/** Posts the note of one merge request, or edits the one that is there. Nobody else's note is touched, whatever it begins with. */
async function post(place, body, me, api) {
  const notes = await api.list(`${place}/notes?sort=asc`);
  const own = notes.find((note) => note.author.id === me && note.body.startsWith(`${MARKER}\n`));
  if (own === undefined) await api.call("POST", `${place}/notes`, { body });
  else if (own.body.trim() === body.trim()) return "up to date";
  else await api.call("PUT", `${place}/notes/${own.id}`, { body });
  return own === undefined ? "posted" : "edited";
}

async function note(place, me, host, api) {
  const request = await api.call("GET", place);
  const job = await reviewOf(request, api);
  if (job === undefined) return "not reviewed yet";
  const files = await Promise.all(FILES.map(async (name) => [name, await api.artefact(job.place, name)]));
  return post(place, commentText(heading(request, job), Object.fromEntries(files), host), me, api);
}

/** Goes through all open merge requests. One that fails is said, and the others are done all the same. */
async function main(env) {
  const api = new Api(env);
  const { id: me } = await api.call("GET", "/user");
  const project = `/projects/${env.CI_PROJECT_ID}`;
  for (const { iid } of await api.list(`${project}/merge_requests?state=opened`)) {
    try {
      const done = await note(`${project}/merge_requests/${iid}`, me, env.CI_SERVER_HOST, api);
      process.stdout.write(`!${iid}: ${done}\n`);
    } catch (error) {
      process.stderr.write(`!${iid}: ${error.message}\n`);
      process.exitCode = 1;
    }
  }
}

main(process.env).catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
