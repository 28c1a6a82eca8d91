/** AWS limits that a plan must fit: a peer's stack finds them only when it is applied. */

/** Inbound, and as many outbound, rules of a security group by default (VPC quotas). */
export const RULES_PER_GROUP = 60;
/** Security groups of a network interface by default (VPC quotas). */
export const GROUPS_PER_INTERFACE = 5;
/** Elastic IP addresses of a region by default (EC2 quotas). NAT gateways take one each. */
export const ELASTIC_IPS_PER_REGION = 5;
/** Addresses that AWS keeps in every subnet: the first four and the last (VPC user guide, subnet sizing). */
export const RESERVED_ADDRESSES_PER_SUBNET = 5;
/**
 * Free addresses that a network load balancer needs in each of its subnets: internet-facing always, internal where AWS chooses its
 * addresses, as it does here (Network Load Balancers user guide, "Update the Availability Zones for your Network Load Balancer",
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/network/availability-zones.html).
 */
export const LOAD_BALANCER_ADDRESSES_PER_SUBNET = 8;
/** Prefix lengths that the program gives a created VPC: AWS allows /16 to /28, and the sixteen blocks of a /22 are the smallest useful. */
export const CREATED_VPC_PREFIXES = { shortest: 16, longest: 22 } as const;
/** Prefix lengths of a VPC, and of a subnet (VPC user guide). */
export const VPC_PREFIXES = { shortest: 16, longest: 28 } as const;
/** The same of IPv6: an Amazon-provided block of a VPC is a /56, one of IPAM a /44 to /60; subnets are given /64s here (VPC user guide). */
export const VPC_PREFIXES_6 = { vpc: { shortest: 44, longest: 60 }, subnet: { shortest: 64, longest: 64 } } as const;
/** A created VPC is cut into blocks whose prefix is this much longer than its own; a block is a zone's subnet. */
export const SUBNET_BLOCK_BITS = 4;
/** Tags of a resource (tagging limits), less those that the program sets itself. */
export const TAGS_PER_RESOURCE = { total: 50, own: 5 } as const;
/** Most characters of a tag's key and value. */
export const TAG_LENGTHS = { key: 128, value: 256 } as const;
