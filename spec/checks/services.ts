/** Services: who may use them, and which are in the catalogue. */
import { WORLD, type IpFamily } from "../../catalogue/cidr";
import { CATALOGUE_SERVICES } from "../../catalogue/ports";
import { nearest } from "../config";
import { SOURCE_WORDS, defaultSource, documentedSources, isCatalogueService, parsePorts } from "../normalize";
import type { Problem } from "../problems";
import type { ParsedSpec, Target } from "../schema";
import { either, show } from "../show";
import { unsupported } from "../unsupported";
import { checkSourceNetwork } from "./addresses";
import { problem, repeats, type Check } from "./context";

type Service = ParsedSpec["services"][number];

/** Sources inside the cluster. All others are outside it. */
const INSIDE: ReadonlySet<string> = new Set(["nodes", "servers", "agents"]);

/** What a service's `from` comes to, its default included. */
export function sourcesOf(service: Service): readonly string[] {
  return service.from ?? (isCatalogueService(service.name) ? [defaultSource(service.name)] : []);
}

/** The sources that are not in the cluster. */
export function outsideSources(service: Service): readonly string[] {
  return sourcesOf(service).filter((source) => !INSIDE.has(source));
}

function catalogueService(path: string, service: Service): Problem[] {
  const own = (["protocol", "port"] as const).filter((key) => service[key] !== undefined);
  return own.map((key) =>
    problem(
      "service-fixed-ports",
      `${path}.${key}`,
      `is the catalogue's to say for ${service.name} (${show(service[key])}); allowed: only for a service with a name of your own`,
      "remove it, or give the service another name",
    ),
  );
}

function customService(path: string, service: Service, target: Target): Problem[] {
  const missing = (["protocol", "port"] as const).filter((key) => service[key] === undefined);
  const subject = unsupported(service.name, target);
  if (missing.length > 0 && subject !== undefined) {
    return [
      problem(
        "unsupported-setting",
        `${path}.name`,
        `is not supported: ${subject.title} (${show(service.name)})`,
        subject.instead,
      ),
    ];
  }
  if (missing.length > 0) {
    const near = nearest(service.name, CATALOGUE_SERVICES);
    const message = `is not a service of the catalogue (${show(service.name)}) and has no ${missing.join(" and no ")}; allowed: ${CATALOGUE_SERVICES.join(", ")}, or a name of your own with protocol and port`;
    const remedy =
      near === undefined ? "give protocol and port" : `did you mean ${near}? If not, give protocol and port`;
    return [problem("service-incomplete", `${path}.name`, message, remedy)];
  }
  const { port } = service;
  if (port !== undefined && parsePorts(port) === undefined) {
    const message = `is not a range of ports (${show(port)}); allowed: FIRST-LAST, from 1 to 65535, the smaller first`;
    return [problem("invalid-port-range", `${path}.port`, message, "correct it")];
  }
  if (service.from === undefined) {
    const message = `has no from (${show(service.name)}); allowed: ${either([...SOURCE_WORDS, "CIDRs"])}`;
    return [problem("service-source", path, message, "say who may use it")];
  }
  return [];
}

function source(path: string, text: string, service: Service, families: readonly IpFamily[]): Problem[] {
  if (isCatalogueService(service.name)) {
    const documented = documentedSources(service.name);
    if ((documented as readonly string[]).includes(text)) return [];
    const message = `is not a documented source of ${service.name} (${show(text)}); allowed: ${either(documented)}`;
    return [
      problem(
        "service-source",
        path,
        message,
        "choose one of them, or open the port as a service with a name of your own",
      ),
    ];
  }
  if ((SOURCE_WORDS as readonly string[]).includes(text)) return [];
  if (/^[\d.]|[:/]/.test(text)) return checkSourceNetwork(path, text, families);
  const near = text === "world" || text === "any" ? WORLD : nearest(text, SOURCE_WORDS);
  const message = `is not a source (${show(text)}); allowed: ${either([...SOURCE_WORDS, "a CIDR"])}`;
  return [
    problem("service-source", path, message, near === undefined ? "choose one of them" : `did you mean ${near}?`),
  ];
}

function sources(path: string, service: Service, { access: { clients }, ipFamilies }: ParsedSpec): Problem[] {
  const { name, from } = service;
  if (name === "nodeports" && from === undefined) {
    const message = `has no from ("nodeports"); allowed: ${either(documentedSources(name))}`;
    return [
      problem("service-source", path, message, "say who may reach the NodePorts: they are closed unless asked for"),
    ];
  }
  const given = from ?? [];
  const documented = !isCatalogueService(name) || documentedSources(name).includes("clients");
  const noClients = documented && sourcesOf(service).includes("clients") && clients.length === 0;
  return [
    ...given.flatMap((text, index) => source(`${path}.from[${index}]`, text, service, ipFamilies)),
    ...repeats(`${path}.from`, given, "a source"),
    ...(noClients
      ? [
          problem(
            "no-clients",
            path,
            `is for clients, and the stack names no client networks (${show(name)}); allowed: only with access.clients`,
            "name the clients' networks in access.clients",
          ),
        ]
      : []),
  ];
}

/** Each service by itself, and no name twice. */
export const checkServices: Check = ({ parsed }) =>
  parsed.services.flatMap((service, index) => {
    const path = `services[${index}]`;
    const first = parsed.services.findIndex(({ name }) => name === service.name);
    const twice =
      first === index
        ? []
        : [
            problem(
              "duplicate-value",
              `${path}.name`,
              `repeats the name of services[${first}] (${show(service.name)}); allowed: each once`,
              "join their sources in one from, or rename one of them",
            ),
          ];
    const own = isCatalogueService(service.name)
      ? catalogueService(path, service)
      : customService(path, service, parsed.target);
    return [...own, ...twice, ...sources(path, service, parsed)];
  });
