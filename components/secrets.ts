import * as pulumi from "@pulumi/pulumi";

/** A stack's secret values as Pulumi secrets. */
export interface ClusterSecrets {
  readonly ssh: {
    readonly privateKey?: pulumi.Output<string>;
    readonly bastionPrivateKey?: pulumi.Output<string>;
  };
  /** Passwords by BGP peer. */
  readonly bgpPasswords: ReadonlyMap<string, pulumi.Output<string>>;
}

/** A stack's secret values in clear, as they were loaded. */
export interface ClearSecrets {
  readonly privateKey?: string;
  readonly bastionPrivateKey?: string;
  readonly bgpPasswords: Readonly<Record<string, string>>;
}

/** Makes every value a Pulumi secret: from here on each is encrypted in state and shown nowhere. */
export function clusterSecrets(clear: ClearSecrets): ClusterSecrets {
  const { privateKey, bastionPrivateKey, bgpPasswords } = clear;
  return {
    ssh: {
      ...(privateKey === undefined ? {} : { privateKey: pulumi.secret(privateKey) }),
      ...(bastionPrivateKey === undefined ? {} : { bastionPrivateKey: pulumi.secret(bastionPrivateKey) }),
    },
    bgpPasswords: new Map(Object.entries(bgpPasswords).map(([peer, password]) => [peer, pulumi.secret(password)])),
  };
}
