/** URLs that hosts fetch from, and the registries that they name. */
import { familyOf, isAddress } from "../../catalogue/cidr";
import { show } from "../show";
import { isDnsName } from "./context";

const URL_FORM = /^https?:\/\/([^\s/?#]+)([/?#]\S*)?$/;

/** A registry, or a URL's host: a name or an address, IPv6 in brackets, with a port if it has one. */
export function isAuthority(text: string): boolean {
  const [, v6, v4, port] = /^(?:\[([^[\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const validPort = port === undefined || (Number(port) >= 1 && Number(port) <= 65535);
  const validHost =
    v6 === undefined ? v4 !== undefined && (isAddress(v4) || isDnsName(v4)) : isAddress(v6) && familyOf(v6) === "ipv6";
  return validPort && validHost;
}

/** A URL that is told in reviews and on hosts: without a user in it. */
export function isUrl(text: string): boolean {
  return isAuthority(URL_FORM.exec(text)?.[1] ?? "");
}

/** The URL for a message; one that holds a password is not shown. */
export const shownUrl = (text: string): string => (text.includes("@") ? "not shown" : show(text));
