/** Access: SSH keys, and networks that look wrong. */
import { IP_FAMILIES, contains, covered, isNetwork, worldOf } from "../../catalogue/cidr";
import { SECURE_PLACEHOLDER } from "../config";
import type { Problem } from "../problems";
import { either, formatPath, show } from "../show";
import { problem, type AwsCheck, type Check } from "./context";

/** Networks for documentation (RFC 5737; of IPv6 RFC 3849 and RFC 9637). */
export const DOCUMENTATION = ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20"];
const EXAMPLES = 3;

/** Key types that EC2 imports. */
const INSTANCE_KEY_TYPES = ["ssh-ed25519", "ssh-rsa"];
/**
 * Key types of hosts that can be checked. Not RSA: the connection asks for the key's type as the signature's algorithm, and OpenSSH
 * has not offered ssh-rsa, which is SHA-1, since 8.8 (OpenSSH release notes).
 */
const HOST_KEY_TYPES = ["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"];

/** Whether base64 text begins as a public key does: its type, preceded by the type's length in four bytes (RFC 4253, 6.6). */
function holdsType(base64: string, type: string): boolean {
  if (base64.length % 4 !== 0 || base64.length < 64 || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return false;
  return atob(base64).startsWith(`\0\0\0${String.fromCharCode(type.length)}${type}`);
}

function publicKey(path: string, text: string, types: readonly string[]): Problem[] {
  const [type = "", base64 = ""] = text.trim().split(/[ \t]+/);
  if (types.includes(type) && holdsType(base64, type) && !/[\r\n]/.test(text.trim())) return [];
  const message = `is not an OpenSSH public key of a type that works here (${show(text)}); allowed: ${either(types)}, then a space and its base64 text`;
  return [problem("invalid-ssh-key", path, message, "copy the one line of the .pub file")];
}

/** A host's public key: of a type that the connection can check. */
export function hostKey(path: string, text: string): Problem[] {
  if (!/^\s*ssh-rsa\s/.test(text)) return publicKey(path, text, HOST_KEY_TYPES);
  const what =
    "is an RSA host key, which the connection can check only by ssh-rsa (SHA-1), and OpenSSH 8.8 and newer do not offer that";
  const message = `${what} (${show(text)}); allowed: ${either(HOST_KEY_TYPES)}, then a space and its base64 text`;
  const remedy = "give the ed25519 or ecdsa line of the same host (ssh-keyscan -t ed25519,ecdsa ADDRESS)";
  return [problem("invalid-ssh-key", path, message, remedy)];
}

function privateKey(path: string, text: string | undefined): Problem[] {
  if (text === undefined || text === SECURE_PLACEHOLDER) return [];
  const encrypted = /BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED/.test(text);
  const form =
    /^\s*-----BEGIN (OPENSSH |RSA |EC )?PRIVATE KEY-----\s[\s\S]+-----END (OPENSSH |RSA |EC )?PRIVATE KEY-----\s*$/;
  if (!encrypted && form.test(text)) return [];
  const what = encrypted ? "is protected by a passphrase" : "is not a private key in PEM or OpenSSH form";
  const remedy = encrypted
    ? "leave it out and load the key into an SSH agent, or give a key without passphrase"
    : "give the whole text of the private key file, with pulumi config set --secret --path";
  return [
    problem("invalid-private-key", path, `${what} (not shown); allowed: a private key without passphrase`, remedy),
  ];
}

/** Private keys and the bastion's look like what they are meant to be. */
export const checkKeys: Check = ({ parsed }) => {
  const { ssh } = parsed.access;
  const { bastion } = ssh;
  return [
    ...privateKey("access.ssh.privateKey", ssh.privateKey),
    ...(bastion === undefined ? [] : hostKey("access.ssh.bastion.hostKey", bastion.hostKey)),
    ...privateKey("access.ssh.bastion.privateKey", bastion?.privateKey),
  ];
};

/** The keys of machines that the program makes. */
export const checkInstanceKeys: AwsCheck = ({ parsed }) => {
  const { publicKey: own, hostKeys } = parsed.access.ssh;
  return [
    ...publicKey("access.ssh.publicKey", own, INSTANCE_KEY_TYPES),
    ...Object.entries(hostKeys).flatMap(([name, key]) => hostKey(formatPath(["access", "ssh", "hostKeys", name]), key)),
  ];
};

/** Nodes whose host key is not pinned: one warning for all of them. */
export const checkHostKeys: AwsCheck = ({ parsed, nodeNames }) => {
  const unpinned = nodeNames.filter((name) => !Object.hasOwn(parsed.access.ssh.hostKeys, name));
  if (unpinned.length === 0) return [];
  const names = unpinned.slice(0, EXAMPLES).join(", ") + (unpinned.length > EXAMPLES ? " and so on" : "");
  const message = `pins no host key for ${unpinned.length} of ${nodeNames.length} nodes (${names}), whose key is trusted on first contact`;
  const remedy =
    "to pin a key, put it here by node name: ssh-keyscan -t ed25519 ADDRESS, checked against the instance's console output";
  return [problem("host-key-first-contact", "access.ssh.hostKeys", message, remedy)];
};

/** Networks that open administration to everyone, or were left over from an example. */
export const checkOpenness: Check = ({ parsed }) => {
  const { admin, clients, ssh } = parsed.access;
  const bastion = ssh.bastion === undefined ? [] : [ssh.bastion.cidr];
  const valid = (networks: readonly string[]): string[] => networks.filter(isNetwork);
  const open = [["access.admin", valid(admin)] as const, ["access.ssh.bastion.cidr", valid(bastion)] as const].flatMap(
    ([path, networks]) =>
      IP_FAMILIES.some((family) => covered(worldOf(family), networks))
        ? [
            problem(
              "open-administration",
              path,
              `opens administration to the whole internet (${show(networks.join(", "))}); advised: your own networks`,
              "name the networks that operators work from",
            ),
          ]
        : [],
  );
  const named = [
    ...admin.map((cidr, index) => [`access.admin[${index}]`, cidr] as const),
    ...clients.map((cidr, index) => [`access.clients[${index}]`, cidr] as const),
    ...bastion.map((cidr) => ["access.ssh.bastion.cidr", cidr] as const),
  ];
  const examples = named.filter(([, cidr]) => isNetwork(cidr) && DOCUMENTATION.some((block) => contains(block, cidr)));
  return [
    ...open,
    ...examples.map(([path, cidr]) =>
      problem(
        "documentation-network",
        path,
        `is a network for documentation (${show(cidr)}), where nobody is; advised: your own networks`,
        "replace it",
      ),
    ),
  ];
};
