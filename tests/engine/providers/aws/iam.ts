/** Roles of IAM, their own policies, and the profiles by which instances have them. */
import { sameValue, type Value, type Values } from "../values";
import type { Aws } from "./client";
import { element, elements } from "./iam-client";
import { answered, optionalText, text } from "./inputs";
import { autoName } from "./names";
import { resource } from "./resource";
import { tagList, tagMap } from "./tags";

/** AWS's limits. */
const LONGEST_ROLE = 64;
const LONGEST_POLICY = 128;
const LONGEST_PROFILE = 128;

/** Tags of the inputs, as the query API takes them. */
function tagParameters(inputs: Values): Record<string, string> {
  const entries = (tagList(inputs) ?? []).flatMap(({ Key, Value: value }, index) => [
    [`Tags.member.${index + 1}.Key`, Key],
    [`Tags.member.${index + 1}.Value`, value],
  ]);
  return Object.fromEntries(entries) as Record<string, string>;
}

function tagsOf(xml: string): Values {
  const [list = ""] = elements(xml, "Tags");
  return tagMap(elements(list, "member").map((tag) => ({ Key: element(tag, "Key"), Value: element(tag, "Value") })));
}

/** A policy document as given, where the one that is there means the same: AWS keeps it encoded, and its own spaces. */
function policyInput(given: Values, key: string, found: string | undefined): Value | undefined {
  if (found === undefined) return undefined;
  const document = decodeURIComponent(found);
  const known = optionalText(given, key);
  return known !== undefined && sameValue(JSON.parse(known) as Value, JSON.parse(document) as Value) ? known : document;
}

/** Makes tags those of the new inputs. */
async function retag(
  aws: Aws,
  kind: "Role" | "InstanceProfile",
  name: string,
  olds: Values,
  news: Values,
): Promise<void> {
  const keys = (inputs: Values): string[] => (tagList(inputs) ?? []).map(({ Key }) => Key);
  const gone = keys(olds).filter((key) => !keys(news).includes(key));
  const untag = gone.map((key, index) => [`TagKeys.member.${index + 1}`, key] as const);
  const parameters = { [`${kind}Name`]: name };
  if (untag.length > 0) await aws.iam.call(`Untag${kind}`, { ...parameters, ...Object.fromEntries(untag) });
  if (keys(news).length > 0) await aws.iam.call(`Tag${kind}`, { ...parameters, ...tagParameters(news) });
}

/** A role, by its name. */
export const role = resource({
  replacedBy: ["name"],
  async create(aws, inputs, { name }) {
    const xml = await aws.iam.call("CreateRole", {
      RoleName: optionalText(inputs, "name") ?? autoName(name, LONGEST_ROLE),
      AssumeRolePolicyDocument: text(inputs, "assumeRolePolicy"),
      ...tagParameters(inputs),
    });
    return answered(element(xml, "RoleName"), "role name");
  },
  async find(aws, id) {
    return await aws.iam.call("GetRole", { RoleName: id });
  },
  inputs: (xml, given) => ({
    name: element(xml, "RoleName"),
    assumeRolePolicy: policyInput(given, "assumeRolePolicy", element(xml, "AssumeRolePolicyDocument")),
    tags: tagsOf(xml),
  }),
  outputs: (xml) => ({ arn: element(xml, "Arn"), name: element(xml, "RoleName"), uniqueId: element(xml, "RoleId") }),
  async modify(aws, id, { olds, news, changed }) {
    if (changed.has("assumeRolePolicy"))
      await aws.iam.call("UpdateAssumeRolePolicy", {
        RoleName: id,
        PolicyDocument: text(news, "assumeRolePolicy"),
      });
    await retag(aws, "Role", id, olds, news);
    return undefined;
  },
  async remove(aws, id) {
    await aws.iam.call("DeleteRole", { RoleName: id });
  },
});

/** The role and the name of a role's own policy, out of its id. */
function policyOf(id: string): { RoleName: string; PolicyName: string } {
  const [RoleName = "", PolicyName = ""] = id.split(":");
  return { RoleName, PolicyName };
}

/** A policy of a role's own, by the names of both. */
export const rolePolicy = resource({
  replacedBy: ["role", "name"],
  async create(aws, inputs, { name }) {
    const PolicyName = optionalText(inputs, "name") ?? autoName(name, LONGEST_POLICY);
    const RoleName = text(inputs, "role");
    await aws.iam.call("PutRolePolicy", { RoleName, PolicyName, PolicyDocument: text(inputs, "policy") });
    return `${RoleName}:${PolicyName}`;
  },
  async find(aws, id) {
    return await aws.iam.call("GetRolePolicy", policyOf(id));
  },
  inputs: (xml, given) => ({
    role: element(xml, "RoleName"),
    name: element(xml, "PolicyName"),
    policy: policyInput(given, "policy", element(xml, "PolicyDocument")),
  }),
  outputs: (xml) => ({ name: element(xml, "PolicyName") }),
  async modify(aws, id, { news }) {
    await aws.iam.call("PutRolePolicy", { ...policyOf(id), PolicyDocument: text(news, "policy") });
    return undefined;
  },
  async remove(aws, id) {
    await aws.iam.call("DeleteRolePolicy", policyOf(id));
  },
});

/** An instance profile with its role, by its name. */
export const instanceProfile = resource({
  replacedBy: ["name", "role"],
  async create(aws, inputs, { name }) {
    const InstanceProfileName = optionalText(inputs, "name") ?? autoName(name, LONGEST_PROFILE);
    await aws.iam.call("CreateInstanceProfile", { InstanceProfileName, ...tagParameters(inputs) });
    await aws.iam.call("AddRoleToInstanceProfile", { InstanceProfileName, RoleName: text(inputs, "role") });
    return InstanceProfileName;
  },
  async find(aws, id) {
    return await aws.iam.call("GetInstanceProfile", { InstanceProfileName: id });
  },
  inputs: (xml) => ({
    name: element(xml, "InstanceProfileName"),
    role: element(xml, "RoleName"),
    tags: tagsOf(xml.replace(/<Roles>[\s\S]*?<\/Roles>/gu, "")),
  }),
  outputs: (xml) => ({
    arn: element(xml.replace(/<Roles>[\s\S]*?<\/Roles>/gu, ""), "Arn"),
    name: element(xml, "InstanceProfileName"),
    uniqueId: element(xml, "InstanceProfileId"),
  }),
  async modify(aws, id, { olds, news }) {
    await retag(aws, "InstanceProfile", id, olds, news);
    return undefined;
  },
  async remove(aws, id, state) {
    await aws.iam.call("RemoveRoleFromInstanceProfile", { InstanceProfileName: id, RoleName: text(state, "role") });
    await aws.iam.call("DeleteInstanceProfile", { InstanceProfileName: id });
  },
});
