"""Where moto 5.2.5 answers what AWS never would. Refusals that moto leaves out are not here, but where the calls are made."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from typing import Any

from moto.core.utils import utcnow
from moto.ec2.models import elastic_ip_addresses, elastic_network_interfaces, nat_gateways
from moto.ec2.models.elastic_ip_addresses import ElasticAddress, ElasticAddressBackend
from moto.ec2.models.elastic_network_interfaces import NetworkInterfaceBackend
from moto.ec2.models.instances import Instance, InstanceState
from moto.ec2.models.nat_gateways import NatGateway, NatGatewayBackend
from moto.ec2.models.security_groups import SecurityGroupBackend, SecurityGroupRule
from moto.ec2.models.vpcs import VPC, VPCBackend

# Benchmarking, RFC 2544: nobody's, and so not loopback's either, where moto's own addresses are.
PUBLIC = ipaddress.IPv4Network("198.18.0.0/15")

# AWS keeps the first four addresses of a subnet for itself, and the last.
RESERVED = 4


def addresses(network: ipaddress.IPv4Network, skipped: int) -> Iterator[str]:
    """Every address once, in order."""
    return (str(network[index]) for index in range(skipped, network.num_addresses - 1))


def correct_addresses() -> None:
    """moto's are random: public ones on loopback, private ones perhaps a gateway's or another interface's."""
    public = addresses(PUBLIC, 1)
    private: dict[str, Iterator[str]] = {}

    def in_subnet(cidr: str, ipv6: bool = False) -> str:
        if ipv6:
            raise NotImplementedError("IPv6")
        network = ipaddress.IPv4Network(cidr)
        return next(private.setdefault(cidr, addresses(network, RESERVED)))

    elastic_ip_addresses.random_ip = lambda: next(public)
    elastic_network_interfaces.random_private_ip = in_subnet
    # Without an address of its own, the gateway's interface gets one of its subnet.
    nat_gateways.random_private_ip = lambda: ""


def correct_associations() -> None:
    """An Elastic IP moves without being asked twice, takes the place of the interface's other one, and survives the interface."""
    associate = ElasticAddressBackend.associate_address
    delete = NetworkInterfaceBackend.delete_network_interface

    def let_go(backend: Any, lost: Callable[[ElasticAddress], bool]) -> None:
        for address in backend.addresses:
            if address.eni is not None and lost(address):
                backend.disassociate_address(address=address.public_ip)

    def move(backend: Any, eni: Any = None, allocation_id: str | None = None, **others: Any) -> ElasticAddress:
        let_go(backend, lambda address: address.eni is eni or address.allocation_id == allocation_id)
        return associate(backend, eni=eni, allocation_id=allocation_id, **others)

    def remove(backend: Any, eni_id: str) -> None:
        let_go(backend, lambda address: address.eni.id == eni_id)
        delete(backend, eni_id)

    ElasticAddressBackend.associate_address = move  # type: ignore[assignment,method-assign]
    NetworkInterfaceBackend.delete_network_interface = remove  # type: ignore[method-assign]


def correct_termination() -> None:
    """A terminated instance lets go of its interfaces; moto's keeps them for ever."""
    terminate, interfaces = Instance.terminate, Instance.network_interfaces.fget

    def let_go(instance: Instance) -> InstanceState:
        previous = terminate(instance)
        for interface in instance.nics.values():
            if interface.instance is instance:
                interface.instance = None
                interface.attachment_id = None
                interface.attach_time = None
                interface.device_index = None
                interface.status = "available"
        return previous

    Instance.terminate = let_go  # type: ignore[method-assign]
    Instance.network_interfaces = property(  # type: ignore[assignment,method-assign]
        lambda instance: [] if instance.state == "terminated" else interfaces(instance)
    )


def correct_start() -> None:
    """An instance's launch time is that of its last start."""
    start = Instance.start

    def launched(instance: Instance) -> InstanceState:
        instance.launch_time = utcnow()
        return start(instance)

    Instance.start = launched  # type: ignore[method-assign]


def correct_nat_gateways() -> None:
    """A deleted NAT gateway's interface goes with it; moto's stays."""
    delete = NatGatewayBackend.delete_nat_gateway

    def delete_all(backend: Any, nat_gateway_id: str) -> NatGateway:
        gateway = delete(backend, nat_gateway_id)
        backend.delete_network_interface(gateway._eni.id)
        return gateway

    NatGatewayBackend.delete_nat_gateway = delete_all  # type: ignore[method-assign]


def correct_rules() -> None:
    """moto forgets the description of a rule about a group, and that another group was put into it."""
    modify = SecurityGroupBackend.modify_security_group_rules

    def modify_all(backend: Any, group_id: str, rules: dict[str, dict[str, Any]]) -> None:
        modify(backend, group_id, rules)
        group = backend.get_security_group_by_name_or_id(group_id)
        for rule_id, change in rules.items():
            rule = group.get_rule(rule_id)
            if not rule.source_group:
                continue
            rule.ip_range = {}
            rule.source_group["GroupId"] = change["ReferencedGroupId"]
            if "Description" in change:
                rule.source_group["Description"] = change["Description"]

    SecurityGroupBackend.modify_security_group_rules = modify_all  # type: ignore[method-assign]
    SecurityGroupRule.description = property(  # type: ignore[assignment,method-assign]
        lambda rule: rule.ip_range.get("Description", rule.source_group.get("Description"))
    )


def correct_vpcs() -> None:
    """A VPC's network ACLs go with it; moto's stay."""
    delete = VPCBackend.delete_vpc

    def delete_all(backend: Any, vpc_id: str) -> VPC:
        vpc = delete(backend, vpc_id)
        for acl_id in [acl.id for acl in backend.network_acls.values() if acl.vpc_id == vpc_id]:
            del backend.network_acls[acl_id]
        return vpc

    VPCBackend.delete_vpc = delete_all  # type: ignore[method-assign]


def apply() -> None:
    correct_addresses()
    correct_associations()
    correct_termination()
    correct_start()
    correct_nat_gateways()
    correct_rules()
    correct_vpcs()
