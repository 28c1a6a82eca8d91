/** Where K3s keeps its files on a host, and where the lab keeps what the stand-in needs. */

/** Configuration, and the folder of files that add to it. */
export const CONFIG_FILE = "/etc/rancher/k3s/config.yaml";
export const CONFIG_FOLDER = "/etc/rancher/k3s/config.yaml.d";
/** The administrator's kubeconfig. */
export const ADMIN_KUBECONFIG = "/etc/rancher/k3s/k3s.yaml";
/** What a node is told from another of the same name by. */
export const NODE_PASSWORD_FILE = "/etc/rancher/node/password";
export const NODE_ID_FILE = "/etc/rancher/node/id";

/** Default of --data-dir, the only one that the stand-in knows. */
export const DATA_FOLDER = "/var/lib/rancher/k3s";
export const AGENT_FOLDER = `${DATA_FOLDER}/agent`;
export const SERVER_FOLDER = `${DATA_FOLDER}/server`;
export const MANIFESTS_FOLDER = `${SERVER_FOLDER}/manifests`;
export const ETCD_FOLDER = `${SERVER_FOLDER}/db/etcd`;
export const SQLITE_FILE = `${SERVER_FOLDER}/db/state.db`;

/** What the lab tells a host of itself. */
export const HOST_FILE = "/run/lab/host.json";
/** The log that all hosts of a lab share. */
export const EVENTS_FILE = "/run/lab/events";
export const KUBECTL = "/usr/local/lib/lab/kubectl";
/** Definitions of resources that charts bring. */
export const CRDS_FOLDER = "/usr/local/lib/lab/crds";
