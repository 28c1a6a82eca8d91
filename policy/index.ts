/** The policy pack, as `pulumi preview --policy-pack` starts it. */
import { PolicyPack } from "@pulumi/policy";
import { Config } from "@pulumi/pulumi";
import { CHECKS } from "./checks/index";
import { STACK_KEY, settingsOf } from "./pack-settings";
import { parseSetting } from "./program-settings";
import { policiesOf } from "./pack";

const program = new Config("k3s-networking");
const stack = new Config(STACK_KEY.namespace);

new PolicyPack("k3s-networking", {
  enforcementLevel: "mandatory",
  policies: policiesOf(CHECKS, (pack) =>
    settingsOf((key) => parseSetting(program.get(key)), parseSetting(stack.get(STACK_KEY.key)), pack),
  ),
});
