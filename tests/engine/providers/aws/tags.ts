/** Tags: a map of the program's, a list of the API's. */
import {
  CreateTagsCommand,
  DeleteTagsCommand,
  type EC2Client,
  type ResourceType,
  type TagSpecification,
} from "@aws-sdk/client-ec2";
import {
  AddTagsCommand,
  DescribeTagsCommand,
  RemoveTagsCommand,
  type ElasticLoadBalancingV2Client,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { sameValue, type Values } from "../values";
import { optionalRecord, text } from "./inputs";

interface Tag {
  Key: string;
  Value: string;
}

/** The tags among the inputs, as the API takes them; undefined if there are none. */
export function tagList(inputs: Values, key = "tags"): [Tag, ...Tag[]] | undefined {
  const tags = optionalRecord(inputs, key) ?? {};
  const [first, ...others] = Object.keys(tags).map((name) => ({ Key: name, Value: text(tags, name) }));
  return first === undefined ? undefined : [first, ...others];
}

/** The tags among the inputs, for the creation of something in EC2. */
export function tagged(type: ResourceType, inputs: Values, key = "tags"): TagSpecification[] {
  const tags = tagList(inputs, key);
  return tags === undefined ? [] : [{ ResourceType: type, Tags: tags }];
}

/** The API's tags as a map, without AWS's own. */
export function tagMap(tags: readonly { Key?: string | undefined; Value?: string | undefined }[] | undefined): Values {
  const entries = (tags ?? []).map(({ Key, Value }) => [Key ?? "", Value ?? ""] as const);
  return Object.fromEntries(entries.filter(([key]) => !key.startsWith("aws:")));
}

function difference(olds: Values, news: Values, key: string): { set: Tag[]; unset: string[] } {
  const before = optionalRecord(olds, key) ?? {};
  const after = optionalRecord(news, key) ?? {};
  return {
    set: (tagList(news, key) ?? []).filter((tag) => !sameValue(before[tag.Key], tag.Value)),
    unset: Object.keys(before).filter((name) => !(name in after)),
  };
}

/** Makes the tags of something in EC2 those of the new inputs. */
export async function retag(ec2: EC2Client, id: string, olds: Values, news: Values, key = "tags"): Promise<void> {
  const { set, unset } = difference(olds, news, key);
  if (unset.length > 0) await ec2.send(new DeleteTagsCommand({ Resources: [id], Tags: unset.map((Key) => ({ Key })) }));
  if (set.length > 0) await ec2.send(new CreateTagsCommand({ Resources: [id], Tags: set }));
}

/** Makes the tags of something in Elastic Load Balancing those of the new inputs. */
export async function retagBalancer(
  elb: ElasticLoadBalancingV2Client,
  arn: string,
  olds: Values,
  news: Values,
): Promise<void> {
  const { set, unset } = difference(olds, news, "tags");
  if (unset.length > 0) await elb.send(new RemoveTagsCommand({ ResourceArns: [arn], TagKeys: unset }));
  if (set.length > 0) await elb.send(new AddTagsCommand({ ResourceArns: [arn], Tags: set }));
}

/** The tags of something in Elastic Load Balancing, whose descriptions come without. */
export async function balancerTags(elb: ElasticLoadBalancingV2Client, arn: string): Promise<Values> {
  const { TagDescriptions } = await elb.send(new DescribeTagsCommand({ ResourceArns: [arn] }));
  return tagMap(TagDescriptions?.[0]?.Tags);
}
