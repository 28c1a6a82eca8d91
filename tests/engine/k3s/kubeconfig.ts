/** The kubeconfigs that K3s writes. */
import type { CertifiedKey } from "./certificates";
import { putFile } from "./files";
import { AGENT_FOLDER } from "./paths";
import type { ServerSettings } from "./server-settings";

/** The node's own certificate: there once the node has been in the cluster. */
export const KUBELET_CERTIFICATE = `${AGENT_FOLDER}/client-kubelet.crt`;
const KUBELET_KEY = `${AGENT_FOLDER}/client-kubelet.key`;

const data = (text: string): string => Buffer.from(text).toString("base64");

/** Writes the administrator's, with a certificate of its own. */
export function writeAdminKubeconfig(settings: ServerSettings, serverCa: string, admin: CertifiedKey): void {
  const { kubeconfigFile, kubeconfigMode, port } = settings;
  const text = `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: ${data(serverCa)}
    server: https://127.0.0.1:${port}
  name: default
contexts:
- context:
    cluster: default
    user: default
  name: default
current-context: default
kind: Config
preferences: {}
users:
- name: default
  user:
    client-certificate-data: ${data(admin.certificate)}
    client-key-data: ${data(admin.key)}
`;
  putFile(kubeconfigFile, text, kubeconfigMode);
}

/** Writes the node's own, which names its files. @param server URL of the API as the node reaches it. */
export function writeKubeletKubeconfig(server: string, serverCa: string, client: CertifiedKey): void {
  putFile(`${AGENT_FOLDER}/server-ca.crt`, serverCa);
  putFile(KUBELET_CERTIFICATE, client.certificate);
  putFile(KUBELET_KEY, client.key);
  const text = `apiVersion: v1
clusters:
- cluster:
    server: ${server}
    certificate-authority: ${AGENT_FOLDER}/server-ca.crt
  name: local
contexts:
- context:
    cluster: local
    namespace: default
    user: user
  name: Default
current-context: Default
kind: Config
preferences: {}
users:
- name: user
  user:
    client-certificate: ${KUBELET_CERTIFICATE}
    client-key: ${KUBELET_KEY}
`;
  putFile(`${AGENT_FOLDER}/kubelet.kubeconfig`, text);
}
