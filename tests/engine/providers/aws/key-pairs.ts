/** Key pairs. */
import { DeleteKeyPairCommand, DescribeKeyPairsCommand, ImportKeyPairCommand } from "@aws-sdk/client-ec2";
import { answered, optionalText, text } from "./inputs";
import { autoName, ec2Arn } from "./names";
import { resource } from "./resource";
import { retag, tagged, tagMap } from "./tags";

/** AWS's limit. */
const LONGEST_NAME = 255;

/** The key itself, without the comment, which AWS does not keep. */
const keyOf = (publicKey: string): string => publicKey.trim().split(/\s+/).slice(0, 2).join(" ");

/** A key pair, by its name. */
export const keyPair = resource({
  replacedBy: ["publicKey", "keyName"],
  async create(aws, inputs, { name }) {
    const { KeyName } = await aws.ec2.send(
      new ImportKeyPairCommand({
        KeyName: optionalText(inputs, "keyName") ?? autoName(name, LONGEST_NAME),
        PublicKeyMaterial: Buffer.from(text(inputs, "publicKey")),
        TagSpecifications: tagged("key-pair", inputs),
      }),
    );
    return answered(KeyName, "key name");
  },
  async find(aws, id) {
    const { KeyPairs } = await aws.ec2.send(new DescribeKeyPairsCommand({ KeyNames: [id], IncludePublicKey: true }));
    return KeyPairs?.[0];
  },
  inputs(found, given) {
    const known = text(given, "publicKey");
    return {
      keyName: found.KeyName,
      publicKey: found.PublicKey !== undefined && keyOf(found.PublicKey) === keyOf(known) ? known : found.PublicKey,
      tags: tagMap(found.Tags),
    };
  },
  outputs: (found, { region }) => ({
    arn: ec2Arn(region, "", `key-pair/${found.KeyName ?? ""}`),
    fingerprint: found.KeyFingerprint,
    keyName: found.KeyName,
    keyPairId: found.KeyPairId,
    keyType: found.KeyType,
  }),
  async modify(aws, _id, { olds, news, state }) {
    await retag(aws.ec2, text(state, "keyPairId"), olds, news);
    return undefined;
  },
  async remove(aws, id) {
    await aws.ec2.send(new DeleteKeyPairCommand({ KeyName: id }));
  },
});
