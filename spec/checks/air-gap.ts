/** Installation without the internet: the files of the release. */
import { CHARTS } from "../../catalogue/charts";
import { chartsOf } from "../../catalogue/stack-charts";
import { artefactsByPath } from "../artefacts";
import { hostsOf } from "../hosts";
import type { Problem } from "../problems";
import type { ParsedExisting } from "../schema";
import { chartChoices } from "./chart-values";
import { problem, type HostsCheck } from "./context";
import { isUrl, shownUrl } from "./urls";

type AirGap = NonNullable<ParsedExisting["k3s"]["airGap"]>;

function source(path: string, { path: file, url }: AirGap["installScript"]): Problem[] {
  if ((file === undefined) === (url === undefined)) {
    const what = url === undefined ? "says neither path nor url" : "says both path and url";
    const remedy = "give path for a file of yours that is copied to the hosts, or url for one that they fetch";
    return [problem("artefact-source", path, `${what}; allowed: exactly one of them`, remedy)];
  }
  if (url === undefined || isUrl(url)) return [];
  const message = `is not a URL that a host can fetch (${shownUrl(url)}); allowed: http:// or https://, a host, and no user in it`;
  return [problem("artefact-url", `${path}.url`, message, "correct it")];
}

/** The files of the air gap, and that every host has those of its architecture. */
export const checkAirGap: HostsCheck = ({ parsed }) => {
  const { airGap } = parsed.k3s;
  if (airGap === undefined) return [];
  const hosts = hostsOf(parsed);
  const missing = (["amd64", "arm64"] as const).flatMap((arch) => {
    const first = airGap[arch] === undefined ? hosts.findIndex((host) => host.arch === arch) : -1;
    if (first === -1) return [];
    const message = `is missing, and nodes[${first}] has this architecture (${arch}); allowed: binary and images`;
    return [problem("artefact-arch", `k3s.airGap.${arch}`, message, "give them, or correct the host's arch")];
  });
  return [...missing, ...artefactsByPath(airGap).flatMap(([path, artefact]) => source(path, artefact))];
};

/** Charts come from repositories in the internet, which only the operator's machine reaches. */
export const checkAirGapCharts: HostsCheck = ({ parsed }) => {
  if (parsed.k3s.airGap === undefined || parsed.delivery === "api") return [];
  const charts = [...new Set(chartsOf(chartChoices(parsed)).map(({ name }) => CHARTS[name].chart))];
  if (charts.length === 0) return [];
  const message = `leaves the fetching of charts to the cluster, which has no internet ("manifests", charts ${charts.join(", ")}); advised with k3s.airGap: api, where the operator's machine fetches them`;
  return [problem("air-gap-chart", "delivery", message, "set delivery: api, or choose what K3s packages")];
};
