/** The `aws` provider plugin: the types that the program uses, on the API at AWS_ENDPOINT_URL. */
import { serve } from "../server";
import { eip, eipAssociation } from "./addresses";
import { withFaults } from "./faults";
import { instanceProfile, role, rolePolicy } from "./iam";
import { instance } from "./instances";
import { networkInterface, networkInterfaceAttachment } from "./interfaces";
import { keyPair } from "./key-pairs";
import { listener, loadBalancer } from "./load-balancer";
import { getParameter } from "./parameters";
import { egressOnlyInternetGateway, natGateway, route, routeTable, routeTableAssociation } from "./routing";
import {
  defaultSecurityGroup,
  securityGroup,
  securityGroupEgressRule,
  securityGroupIngressRule,
} from "./security-groups";
import { targetGroup, targetGroupAttachment } from "./targets";
import { internetGateway, subnet, vpc } from "./vpc";

serve({
  name: "aws",
  version: "7.48.0",
  kinds: withFaults({
    "aws:ec2/vpc:Vpc": vpc,
    "aws:ec2/subnet:Subnet": subnet,
    "aws:ec2/internetGateway:InternetGateway": internetGateway,
    "aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway": egressOnlyInternetGateway,
    "aws:ec2/natGateway:NatGateway": natGateway,
    "aws:ec2/routeTable:RouteTable": routeTable,
    "aws:ec2/route:Route": route,
    "aws:ec2/routeTableAssociation:RouteTableAssociation": routeTableAssociation,
    "aws:ec2/eip:Eip": eip,
    "aws:ec2/eipAssociation:EipAssociation": eipAssociation,
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": defaultSecurityGroup,
    "aws:ec2/securityGroup:SecurityGroup": securityGroup,
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": securityGroupIngressRule,
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": securityGroupEgressRule,
    "aws:ec2/keyPair:KeyPair": keyPair,
    "aws:ec2/networkInterface:NetworkInterface": networkInterface,
    "aws:ec2/networkInterfaceAttachment:NetworkInterfaceAttachment": networkInterfaceAttachment,
    "aws:ec2/instance:Instance": instance,
    "aws:iam/role:Role": role,
    "aws:iam/rolePolicy:RolePolicy": rolePolicy,
    "aws:iam/instanceProfile:InstanceProfile": instanceProfile,
    "aws:lb/loadBalancer:LoadBalancer": loadBalancer,
    "aws:lb/listener:Listener": listener,
    "aws:lb/targetGroup:TargetGroup": targetGroup,
    "aws:lb/targetGroupAttachment:TargetGroupAttachment": targetGroupAttachment,
  }),
  functions: { "aws:ssm/getParameter:getParameter": getParameter },
});
