// The answer to "why is this open?": the flows of a cell of the matrix, with their reasons, documents and rules.

/**
 * What an answer may lead to: a rule in the table of rules, another cell, and back to the matrix.
 * @typedef {{ showRule: (key: string) => void, choose: (pair: Pair) => void, close: () => void }} AnswerActions
 */

/** @param {PeerFact | undefined} peer @param {string} key */
function peerLine(peer, key) {
  if (peer === undefined) return html("dd", {}, key);
  if (peer.kind === "nodes")
    return html("dd", {}, `${counted(peer.members.length, "node")}: `, nameList(peer.members, "node"));
  if (peer.kind === "outside") return html("dd", {}, "outside the cluster: ", nameList(peer.cidrs, "network"));
  return html(
    "dd",
    {},
    peer.kind === "ingressLoadBalancer" ? "the ingress's load balancer" : "the API's load balancer",
  );
}

/**
 * @param {FlowFact} flow
 * @param {Pair} pair that it holds for
 * @param {AnswerActions} actions
 */
function flowCard(flow, pair, { showRule }) {
  const rules = flow.rules.map((key) =>
    html("li", {}, html("button", { type: "button", class: "link mono", onclick: () => showRule(key) }, key)),
  );
  const wider = flow.from !== pair.from || flow.to !== pair.to;
  return html(
    "article",
    { class: "flow", "data-flow": flow.key },
    html(
      "h5",
      {},
      mono(flow.ports),
      html("span", { class: "on" }, ` on ${flow.network}`),
      flow.openToWorld && worldBadge(),
    ),
    html("p", { class: "flow-title" }, flow.title, " ", html("span", { class: "muted mono" }, flow.entry)),
    html(
      "dl",
      { class: "pairs" },
      html("dt", {}, "Flow"),
      html("dd", {}, `${flow.from} → ${flow.to}`, wider && ", which holds these two"),
      html("dt", {}, "Why"),
      html("dd", { class: "why" }, flow.why),
      html("dt", {}, "Documents"),
      html("dd", {}, documentList(flow.documents)),
      html("dt", {}, "Rules"),
      html("dd", {}, rules.length === 0 ? "none" : html("ul", { class: "plain" }, ...rules)),
    ),
  );
}

/**
 * Pairs of smaller peers between which more is open, as buttons.
 * @param {Reach} reach
 * @param {readonly Pair[]} pairs
 * @param {AnswerActions} actions
 */
function partList(reach, pairs, { choose }) {
  return html(
    "ul",
    { class: "plain parts" },
    ...pairs.map((pair) =>
      html(
        "li",
        {},
        html("button", { type: "button", class: "link", onclick: () => choose(pair) }, `${pair.from} → ${pair.to}`),
        " ",
        mono(openingLines(reach.openings(pair)).join("; ")),
      ),
    ),
  );
}

/**
 * What is open, network by network.
 * @param {readonly Opening[]} openings
 */
function openList(openings) {
  const networks = [...new Set(openings.map(({ network }) => network))];
  return html(
    "dl",
    { class: "pairs open" },
    ...networks.flatMap((network) => [
      html("dt", {}, network),
      html("dd", {}, mono(openingLines(openings.filter((opening) => opening.network === network)).join("; "))),
    ]),
  );
}

/**
 * @param {Reach} reach
 * @param {Pair} pair
 * @param {AnswerActions} actions
 */
function answerHead(reach, { from, to }, { close }) {
  const open = reach.openings({ from, to }).length > 0;
  const heading = html(
    "h4",
    { id: freshId(), tabindex: -1 },
    open ? "Why is " : "Is ",
    html("span", { class: "pair" }, `${from} → ${to}`),
    " open?",
  );
  const head = html(
    "div",
    { class: "answer-head" },
    heading,
    html("button", { type: "button", class: "quiet", onclick: close }, "Close"),
  );
  return { heading, head };
}

/**
 * Why one peer may reach the other, or that it may not.
 * @param {Reach} reach
 * @param {Pair} pair
 * @param {AnswerActions} actions
 */
function answerView(reach, pair, actions) {
  const { from, to } = pair;
  const [flows, openings, parts] = [reach.flows(pair), reach.openings(pair), reach.parts(pair)];
  const { heading, head } = answerHead(reach, pair, actions);
  const closed =
    parts.length > 0 ? "Only in part." : "No: no flow of the plan opens it, and what no flow opens is closed.";
  return html(
    "section",
    {
      class: "answer",
      "aria-labelledby": heading.id,
      onkeydown: (/** @type {KeyboardEvent} */ event) => event.key === "Escape" && actions.close(),
    },
    head,
    openings.length > 0 ? openList(openings) : html("p", {}, closed),
    reach.isWorld(pair) && openings.length > 0 && html("p", {}, worldBadge()),
    html(
      "dl",
      { class: "pairs ends" },
      html("dt", {}, from),
      peerLine(reach.peers.get(from), from),
      from !== to && html("dt", {}, to),
      from !== to && peerLine(reach.peers.get(to), to),
    ),
    ...flows.map((flow) => flowCard(flow, pair, actions)),
    parts.length > 0 &&
      html("h5", {}, openings.length > 0 ? "More is open between parts of them" : "Open between parts of them"),
    parts.length > 0 && partList(reach, parts, actions),
  );
}
