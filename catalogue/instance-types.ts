/**
 * EC2 instance types: how many network interfaces each takes, and its CPU architecture.
 *
 * Source: the EC2 user guide's table of network interfaces for each instance type, as kept by AWS's VPC CNI (misc/eni-max-pods.txt).
 */

/** Interfaces by size, for the many families that share them. */
const COMMON: Readonly<Record<string, number>> = {
  medium: 2,
  large: 3,
  xlarge: 4,
  "2xlarge": 4,
  "3xlarge": 8,
  "4xlarge": 8,
  "6xlarge": 8,
  "8xlarge": 8,
  "9xlarge": 8,
  "10xlarge": 8,
  "12xlarge": 8,
  "16xlarge": 15,
  "18xlarge": 15,
  "24xlarge": 15,
  "32xlarge": 15,
  "48xlarge": 15,
  metal: 15,
  "metal-24xl": 15,
  "metal-48xl": 15,
};

/** Families with the common figures. */
const COMMON_FAMILIES: ReadonlySet<string> = new Set([
  ...[
    "a1",
    "c4",
    "c5",
    "c5a",
    "c5ad",
    "c5d",
    "c5n",
    "c6a",
    "c6g",
    "c6gd",
    "c6gn",
    "c6i",
    "c6id",
    "c7a",
    "c7g",
    "c7gd",
    "c7gn",
  ],
  ...[
    "c7i",
    "c7i-flex",
    "c8g",
    "i3",
    "im4gn",
    "inf2",
    "is4gen",
    "m4",
    "m5",
    "m5a",
    "m5ad",
    "m5d",
    "m5dn",
    "m5n",
    "m6a",
    "m6g",
  ],
  ...[
    "m6gd",
    "m6i",
    "m6id",
    "m7a",
    "m7g",
    "m7gd",
    "m7i",
    "m7i-flex",
    "m8g",
    "r4",
    "r5",
    "r5a",
    "r5ad",
    "r5b",
    "r5d",
    "r5dn",
  ],
  ...["r5n", "r6a", "r6g", "r6gd", "r6i", "r6id", "r7a", "r7g", "r7gd", "r7i", "r8g"],
]);

/** Types that differ from their family, or whose family differs from the common figures. */
const OWN: Readonly<Record<string, number>> = {
  "a1.metal": 8,
  "m4.large": 2,
  "m4.16xlarge": 8,
  "t2.nano": 2,
  "t2.micro": 2,
  "t2.small": 3,
  "t2.medium": 3,
  "t2.large": 3,
  "t2.xlarge": 3,
  "t2.2xlarge": 3,
  "t3.nano": 2,
  "t3.micro": 2,
  "t3.small": 3,
  "t3.medium": 3,
  "t3.large": 3,
  "t3.xlarge": 4,
  "t3.2xlarge": 4,
  "t3a.nano": 2,
  "t3a.micro": 2,
  "t3a.small": 2,
  "t3a.medium": 3,
  "t3a.large": 3,
  "t3a.xlarge": 4,
  "t3a.2xlarge": 4,
  "t4g.nano": 2,
  "t4g.micro": 2,
  "t4g.small": 3,
  "t4g.medium": 3,
  "t4g.large": 3,
  "t4g.xlarge": 4,
  "t4g.2xlarge": 4,
};

/** The form of an instance type's name: family, dot, size. */
const FORM = /^(?=[^.]*\d)([a-z][a-z0-9-]*)\.([a-z0-9][a-z0-9-]*)$/;

/** Whether a text has the form of an instance type. */
export function isInstanceType(text: string): boolean {
  return FORM.test(text);
}

/** How many network interfaces an instance type takes; undefined for a type that the table does not have. */
export function networkInterfaces(instanceType: string): number | undefined {
  const [, family = "", size = ""] = FORM.exec(instanceType) ?? [];
  return OWN[instanceType] ?? (COMMON_FAMILIES.has(family) ? COMMON[size] : undefined);
}

/**
 * CPU architecture of an instance type: Graviton families have a `g` right after the generation's digit (t4g, m7gd, c7gn, im4gn),
 * and a1 was the first of them.
 */
export function architecture(instanceType: string): "amd64" | "arm64" {
  return /^(a1|[a-z]+\d+g[a-z]*)[.-]/.test(instanceType) ? "arm64" : "amd64";
}
