/** What the recorded resources of stacks with other layers let through is what the documents say: the thin layer adds and drops nothing. */
import { recordedFirewall } from "../../review/recorded-firewall";
import type { PreviewDocument } from "../../review/document";
import { stringify } from "yaml";
import { differences } from "../support/closed-world";
import type { Row } from "../support/covering";
import { layerConfig, rowOf } from "../support/layer-stacks";
import { load } from "../support/stacks";
import { run, temporaryFile } from "./support";

test.each<[Row]>([
  [{ cni: "calico-ipip", balancer: "servicelb-nlb" }],
  [{ cni: "cilium-wireguard-hubble", proxy: "cni", balancer: "aws", layout: "segregated" }],
  [{ cni: "cilium-native", proxy: "cni", balancer: "servicelb", families: "ipv4" }],
  [{ cni: "calico-ipip-cross-subnet", balancer: "metallb-bgp" }],
  [{ target: "existing-nftables", cni: "cilium-native", layout: "segregated", balancer: "metallb-l2" }],
])("%j", (changes) => {
  const config = layerConfig(rowOf(changes));
  const file = temporaryFile("Pulumi.test.yaml", stringify({ config }));
  const { code, stdout, stderr } = run("start", "--file", file, "--json");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const { resources, plan } = JSON.parse(stdout) as PreviewDocument;
  expect(differences(load(config).spec, recordedFirewall(resources, plan))).toEqual([]);
});
