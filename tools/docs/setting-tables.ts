/** Tables of settings: those of the stack as a whole for the README, those of a layer for its page. */
import { LAYERS } from "../../catalogue/layers";
import { settingsSchema } from "./json-schema";
import { table } from "./markdown";
import { settingRows, type SettingRow } from "./settings";

/** Settings, one a row. */
export function settingsOf(rows: readonly SettingRow[]): string {
  return table(
    ["Setting", "Value", "Default", "What it is"],
    rows.map(({ path, kinds = [], type, fallback, description }) => [
      `\`${path}\`${kinds.length === 0 ? "" : ` (${kinds.join(", ")})`}`,
      type,
      fallback,
      description,
    ]),
  );
}

/** Settings whose tables stand on the pages of their layers, by the page. */
const ON_PAGES: Readonly<Record<string, string>> = {
  cni: "cni",
  networkPolicy: "network-policy",
  ingress: "ingress",
  traefik: "ingress",
  dns: "dns",
  loadBalancer: "load-balancer",
  serviceMesh: "services",
};

const rootOf = (path: string): string => path.split(/[.[]/u)[0] ?? path;

/** One row for all settings of a layer, with the way to its page. */
function pageRow(root: string, page: string): SettingRow {
  const { description = "", default: value } = settingsSchema("aws").properties?.[root] ?? {};
  const layer = LAYERS.find(({ id }) => id === page);
  if (layer === undefined) throw new Error(`no layer has the page ${page}`);
  const fallback = value === undefined ? "" : `\`${JSON.stringify(value)}\``;
  const link = `All of them: [${layer.title}](docs/layers/${page}.md#settings).`;
  return { path: root, type: "see the page", fallback, description: `${description} ${link}`.trim() };
}

/** The settings of target `aws`, those of layers by one row each. */
export function settingsTable(): string {
  const seen = new Set<string>();
  const rows = settingRows(settingsSchema("aws")).flatMap((row): SettingRow[] => {
    const root = rootOf(row.path);
    const page = ON_PAGES[root];
    if (page === undefined) return [row];
    if (seen.has(root)) return [];
    seen.add(root);
    return [pageRow(root, page)];
  });
  return settingsOf(rows);
}

/**
 * What target `existing` has besides, or otherwise: a row that is the other table's word for word is left out, and so is what the files of
 * one architecture repeat of the other's.
 */
export function existingTable(): string {
  const aws = new Set(settingRows(settingsSchema("aws")).map((row) => JSON.stringify(row)));
  const rows = settingRows(settingsSchema("existing")).filter((row) => !aws.has(JSON.stringify(row)));
  return settingsOf(rows.filter(({ path }) => !path.startsWith("k3s.airGap.arm64.")));
}

/** The settings of a layer, of both targets, by the beginnings of their paths; a row that both targets have alike stands once. */
export function layerSettings(beginnings: readonly string[]): string {
  const within = ({ path }: SettingRow): boolean =>
    beginnings.some((one) => path === one || path.startsWith(`${one}.`) || path.startsWith(`${one}[`));
  const rows = (["aws", "existing"] as const).flatMap((target) => settingRows(settingsSchema(target)).filter(within));
  const unlike = new Map(rows.map((row) => [JSON.stringify(row), row]));
  return settingsOf([...unlike.values()]);
}
