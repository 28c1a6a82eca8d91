/** What is posted on GitHub and GitLab: by the real scripts, to stand-ins for their APIs on the loopback interface. */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { ROOT } from "../review/support";
import { BYTES, MARKER } from "../../tools/forge/report.cjs";

interface Call {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}
/** What the API has at a path and query; a function is asked each time. */
type Answers = Record<string, unknown>;

const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const OTHER = "fedcba9876543210fedcba9876543210fedcba98";

let folder: string;
let server: Server;
let answers: Answers;
let calls: Call[];
let tokens: unknown[];

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "k3s-networking-forge-"));
  calls = [];
  tokens = [];
  server = createServer((request, response) => {
    const { method = "", url = "" } = request;
    tokens.push(request.headers.authorization ?? request.headers["private-token"]);
    let text = "";
    request.on("data", (data: Buffer) => (text += data.toString()));
    request.on("end", () => {
      if (method !== "GET") calls.push({ method, path: url, body: JSON.parse(text) as unknown });
      const answer = method === "GET" ? answers[url] : {};
      response.statusCode = answer === undefined ? 404 : 200;
      response.end(typeof answer === "string" ? answer : JSON.stringify(answer ?? { message: "Not Found" }));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
});
afterEach(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

const base = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a script to its end, with these variables and no others. */
function script(name: string, args: readonly string[], env: Record<string, string>): Promise<Ended> {
  return new Promise((resolve) => {
    const file = path.join(ROOT, "tools/forge", name);
    const child = execFile(process.execPath, [file, ...args], { env }, (_error, stdout, stderr) => {
      resolve({ code: child.exitCode ?? -1, stdout, stderr });
    });
  });
}

/** The only body that was sent. */
function posted(): string {
  expect(calls).toHaveLength(1);
  return (calls[0]?.body as { body: string }).body;
}

describe("on GitHub", () => {
  const PULLS = "/repos/own/er/pulls?state=open&head=some%3Afeature%2F%23%26x&per_page=100&page=1";
  const FILES = "/repos/own/er/pulls/7/files?per_page=100&page=1";
  const COMMENTS = "/repos/own/er/issues/7/comments?per_page=100&page=1";
  const BOT = { type: "Bot", login: "github-actions[bot]" };
  const RUN = {
    id: 99,
    event: "pull_request",
    conclusion: "success",
    head_sha: COMMIT,
    head_branch: "feature/#&x",
    head_repository: { id: 5, owner: { login: "some" } },
  };
  const pull = (number: number, sha = COMMIT, repo: unknown = { id: 5 }) => ({ number, head: { sha, repo } });
  const POST = { method: "POST", path: "/repos/own/er/issues/7/comments" };
  const DONE = { code: 0, stdout: "The comment on pull request 7 was posted.\n", stderr: "" };

  beforeEach(() => {
    answers = { [PULLS]: [pull(7)], [FILES]: [{ filename: "stacks/Pulumi.mine.yaml" }], [COMMENTS]: [] };
  });

  const report = (name: string, text: string): void => {
    mkdirSync(path.join(folder, "report"), { recursive: true });
    writeFileSync(path.join(folder, "report", name), text);
  };

  function comment(run: object = RUN): Promise<Ended> {
    const event = path.join(folder, "event.json");
    writeFileSync(event, JSON.stringify({ workflow_run: run }));
    return script("github-comment.cjs", [path.join(folder, "report")], {
      GITHUB_EVENT_PATH: event,
      GITHUB_API_URL: base(),
      GITHUB_SERVER_URL: "https://github.com",
      GITHUB_REPOSITORY: "own/er",
      GITHUB_TOKEN: "the-token",
    });
  }

  const heading = (ended: string, origin: string): string =>
    [
      `${MARKER}\n### Review of 0123456789ab`,
      `The [run](https://github.com/own/er/actions/runs/99) ${ended}; its artefact \`review\` has this as a page and as JSON.`,
      origin,
    ].join("\n\n");
  const STACKS =
    "This pull request changes stacks only: what follows was made by the code of the branch that it is for.";
  const OWN_CODE = [
    "> [!WARNING]",
    "> This pull request changes more than `stacks/`. What follows was made by **its own code**, and says what that code",
    "> says. It ran without credentials.",
  ].join("\n");

  test("the first review is posted, with the token of the run", async () => {
    report("difference.md", "opens nothing new to the world\n\n| a | b |\n");
    expect(await comment()).toEqual(DONE);
    const body = `${heading("succeeded", STACKS)}\n\nopens nothing new to the world\n\n| a | b |\n\n`;
    expect(calls).toEqual([{ ...POST, body: { body } }]);
    expect(new Set(tokens)).toEqual(new Set(["Bearer the-token"]));
  });

  test("the next one edits it, wherever in the list it is", async () => {
    const others = Array.from({ length: 100 }, (_, id) => ({ id, user: BOT, body: "another" }));
    answers[COMMENTS] = others;
    answers["/repos/own/er/issues/7/comments?per_page=100&page=2"] = [
      { id: 1000, user: BOT, body: `${MARKER}\nold` },
      { id: 1001, user: BOT, body: `${MARKER}\nolder` },
    ];
    report("difference.md", "opens something\n");
    expect(await comment()).toEqual({ ...DONE, stdout: "The comment on pull request 7 was edited.\n" });
    expect(calls).toEqual([{ method: "PATCH", path: "/repos/own/er/issues/comments/1000", body: { body: posted() } }]);
    expect(posted()).toContain("opens something");
  });

  test.each([
    ["a person's", { type: "User", login: "github-actions[bot]" }, `${MARKER}\nx`],
    ["another bot's", { type: "Bot", login: "other[bot]" }, `${MARKER}\nx`],
    ["a ghost's", null, `${MARKER}\nx`],
    ["the bot's own, which only quotes it", BOT, `someone wrote\n${MARKER}\nx`],
    ["the bot's own, with another marker", BOT, `${MARKER}x`],
  ])("a comment with the marker that is %s is left alone", async (_whose, user, body) => {
    answers[COMMENTS] = [{ id: 3, user, body }];
    report("difference.md", "x");
    expect(await comment()).toEqual(DONE);
    expect(calls).toMatchObject([POST]);
  });

  test.each([
    ["code", [{ filename: "stacks/Pulumi.mine.yaml" }, { filename: "review/cli.ts" }]],
    ["a file that was taken out of the code", [{ filename: "stacks/a.ts", previous_filename: "plan/a.ts" }]],
    ["a folder that is called like it", [{ filename: "stacks-of/x" }]],
  ])("a pull request that changes %s is said to speak for itself", async (_what, files) => {
    answers[FILES] = files;
    report("difference.md", "x");
    await comment();
    expect(posted().startsWith(`${heading("succeeded", OWN_CODE)}\n\nx`)).toBe(true);
  });

  test("so is one with more files than the API lists", async () => {
    const files = Array.from({ length: 100 }, () => ({ filename: "stacks/x" }));
    for (let page = 1; page <= 30; page += 1) answers[FILES.replace(/page=1$/u, `page=${page}`)] = files;
    report("difference.md", "x");
    await comment();
    expect(posted()).toContain("**its own code**");
  });

  test.each([
    ["moved on", [pull(7, OTHER)]],
    ["is another repository's", [pull(7, COMMIT, { id: 6 })]],
    ["has no repository any more", [pull(7, COMMIT, null)]],
    ["is closed", []],
  ])("nothing is posted where the head %s", async (_what, pulls) => {
    answers[PULLS] = pulls;
    report("difference.md", "x");
    const stdout = "Nothing to do: no open pull request has the run's commit as its head any more.\n";
    expect(await comment()).toEqual({ ...DONE, stdout });
    expect(calls).toEqual([]);
  });

  test("nor where the fork is gone, or the run was of no pull request", async () => {
    expect(await comment({ ...RUN, head_repository: null })).toMatchObject({
      code: 0,
      stdout: /^Nothing to do: no open/u,
    });
    expect(await comment({ ...RUN, event: "push" })).toMatchObject({ code: 0 });
    expect(calls).toEqual([]);
  });

  test("nor where it could be either of two pull requests", async () => {
    answers[PULLS] = [pull(7), pull(8)];
    report("difference.md", "x");
    const { code, stderr } = await comment();
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: "Several pull requests have the run's commit as their head: which of them it was of is not known.\n",
    });
    expect(calls).toEqual([]);
  });

  test("an answer that is none ends with what was asked, and without the token", async () => {
    answers = { [PULLS]: [pull(7)] };
    report("difference.md", "x");
    const { code, stderr } = await comment();
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: "GET /pulls/7/files?per_page=100&page=1: HTTP status 404\n",
    });
  });

  test("a failed run says what failed, above the difference", async () => {
    report("review-files.txt", "stacks/a.review.md is stale\n```\n@someone\n");
    report("check.txt", `first\n${"line\n".repeat(60)}`);
    report("difference.md", "opens nothing new to the world\n");
    await comment({ ...RUN, conclusion: "failure" });
    const text = posted().slice(heading("**failed**", STACKS).length);
    expect(posted().startsWith(heading("**failed**", STACKS))).toBe(true);
    expect(text.split("\n\n").filter((part) => part.startsWith("#### "))).toEqual([
      "#### Review files are out of date: `npm run review` writes them",
      "#### `npm run check` fails",
    ]);
    // Its own fence is longer than what is in it.
    expect(text).toContain("````text\nstacks/a.review.md is stale\n```\n@\u200Bsomeone\n");
    expect(text).toContain("```text\nfirst\nline\n");
    expect(text.split("line\n")).toHaveLength(40);
    expect(text).toContain("\n```\n\nThe rest is in the run's log.\n\nopens nothing new");
  });

  test.each([
    ["no report", () => undefined, "The run ended without a review of the difference."],
    [
      "an empty one",
      () => {
        report("difference.md", "\n");
      },
      "The run ended without a review of the difference.",
    ],
    [
      "more characters than a review has",
      () => {
        report("difference.md", "x".repeat(60_001));
      },
      "is too long to be shown",
    ],
    [
      "more bytes than are read",
      () => {
        report("difference.md", "x".repeat(BYTES + 1));
      },
      "is too long to be shown",
    ],
    [
      "text that grows beyond what GitHub takes",
      () => {
        report("difference.md", "@a".repeat(30_000));
      },
      "is too long to be shown",
    ],
    [
      "a folder",
      () => {
        mkdirSync(path.join(folder, "report/difference.md"), { recursive: true });
      },
      "cannot be read",
    ],
    [
      "a link to another file",
      () => {
        writeFileSync(path.join(folder, "secret"), "a secret of the machine");
        report("x", "");
        symlinkSync(path.join(folder, "secret"), path.join(folder, "report/difference.md"));
      },
      "cannot be read",
    ],
  ])("of %s nothing is shown but that", async (_what, make, says) => {
    make();
    expect(await comment()).toEqual(DONE);
    expect(posted().slice(heading("succeeded", STACKS).length)).toMatch(new RegExp(`^\n\n[^\n]*${says}[^\n]*\n$`, "u"));
  });

  test("the longest review that there is has room", async () => {
    report("difference.md", "x".repeat(60_000));
    for (const name of ["review-files.txt", "check.txt", "difference.txt"]) report(name, "word ".repeat(1_000));
    await comment();
    expect(posted()).toContain("x".repeat(60_000));
    expect(posted().length).toBeLessThan(65_536);
  });
});

describe("on GitLab", () => {
  const NOTES = "/projects/1/merge_requests/3/notes?sort=asc&per_page=100&page=1";
  const REQUESTS = "/projects/1/merge_requests?state=opened&per_page=100&page=1";
  const REQUEST = "/projects/1/merge_requests/3";
  const JOBS = "/projects/5/pipelines/8/jobs?per_page=100&page=1";
  const ARTEFACT = "/projects/5/jobs/9/artifacts/report/difference.md";
  const PIPELINE = { id: 8, project_id: 5, sha: COMMIT, status: "success" };
  const JOB = { id: 9, name: "review", status: "success", web_url: "https://gitlab.example/f/-/jobs/9" };
  const request = (pipeline: unknown) => ({ iid: 3, sha: COMMIT, head_pipeline: pipeline });

  beforeEach(() => {
    answers = {
      "/user": { id: 70 },
      [REQUESTS]: [{ iid: 3 }],
      [REQUEST]: request(PIPELINE),
      [JOBS]: [{ id: 10, name: "other", status: "success" }, JOB],
      [ARTEFACT]: "opens nothing new to the world\n",
      [NOTES]: [],
    };
  });

  const note = (): Promise<Ended> =>
    script("gitlab-note.cjs", [], {
      CI_API_V4_URL: base(),
      CI_PROJECT_ID: "1",
      CI_SERVER_HOST: "gitlab.example",
      REVIEW_NOTE_TOKEN: "the-token",
    });
  const HEADING = [
    `${MARKER}\n### Review of 0123456789ab`,
    "The [job](https://gitlab.example/f/-/jobs/9) succeeded; its artefacts have this as a page and as JSON.",
    "What follows was made by the merge request's **own code**, and says what that code says. It ran without credentials of this project's.",
  ].join("\n\n");
  const BODY = `${HEADING}\n\nopens nothing new to the world\n\n`;
  const POST = { method: "POST", path: "/projects/1/merge_requests/3/notes" };

  test("a fork's review is posted, edited when it changes, and else left alone", async () => {
    expect(await note()).toEqual({ code: 0, stdout: "!3: posted\n", stderr: "" });
    expect(calls).toEqual([{ ...POST, body: { body: BODY } }]);
    expect(new Set(tokens)).toEqual(new Set(["the-token"]));
    answers[NOTES] = [{ id: 4, author: { id: 70 }, body: BODY.trim() }];
    expect(await note()).toMatchObject({ stdout: "!3: up to date\n" });
    answers[ARTEFACT] = "opens something\n";
    expect(await note()).toMatchObject({ stdout: "!3: edited\n" });
    expect(calls.slice(1)).toMatchObject([{ method: "PUT", path: "/projects/1/merge_requests/3/notes/4" }]);
  });

  test("another's note with the marker is left alone", async () => {
    answers[NOTES] = [{ id: 4, author: { id: 71 }, body: `${MARKER}\nx` }];
    await note();
    expect(calls).toMatchObject([POST]);
  });

  test("what it says runs no quick action, mentions nobody, and leaves no note elsewhere", async () => {
    answers[ARTEFACT] = "/merge\n  /assign @all\nhttps://gitlab.example/a/b/-/issues/1 !12\n";
    await note();
    expect(posted().slice(HEADING.length).trim().split("\n")).toEqual([
      "\u200B/merge",
      "  \u200B/assign @\u200Ball",
      "https://gitlab.example\u200B/a/b/-/issues/1 !\u200B12",
    ]);
  });

  test.each([
    ["no pipeline", request(null), JOB],
    ["a pipeline of another commit", request({ ...PIPELINE, sha: OTHER }), JOB],
    ["a pipeline that still runs", request({ ...PIPELINE, status: "running" }), JOB],
    ["a review that was cancelled", request(PIPELINE), { ...JOB, status: "canceled" }],
    ["no review", request(PIPELINE), { ...JOB, name: "reviews" }],
  ])("a merge request with %s waits", async (_what, found, job) => {
    answers[REQUEST] = found;
    answers[JOBS] = [job];
    expect(await note()).toEqual({ code: 0, stdout: "!3: not reviewed yet\n", stderr: "" });
    expect(calls).toEqual([]);
  });

  test("artefacts that cannot be had, or are too long, are said to be", async () => {
    answers = Object.fromEntries(Object.entries(answers).filter(([place]) => place !== ARTEFACT));
    await note();
    expect(posted()).toBe(`${HEADING}\n\nThe run ended without a review of the difference.\n`);
    calls.length = 0;
    answers[ARTEFACT] = "x".repeat(BYTES + 1);
    await note();
    expect(posted()).toBe(`${HEADING}\n\nThe review of the difference is too long to be shown here.\n`);
  });

  test("one that fails is said, and the others are done", async () => {
    answers[REQUESTS] = [{ iid: 2 }, { iid: 3 }];
    const stderr = "!2: GET /projects/1/merge_requests/2: HTTP status 404\n";
    expect(await note()).toEqual({ code: 1, stdout: "!3: posted\n", stderr });
  });
});
